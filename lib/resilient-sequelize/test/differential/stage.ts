import { inject } from 'vitest'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { startPgBouncer, type PgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { createTestDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { buildApplication, type Bundle } from './bundle.ts'
import type { Address, Case, Outcome } from './case.ts'
import { startSubject, type SubjectProcess } from './subject-process.ts'
import type { Variant } from './variants.ts'

/** Both subjects, each in a process and on a database of its own. */
export interface Pair {
  /** Runs a case on both, at once; ours with a fault, if one is named. */
  run(one: Case, fault?: string): Promise<{ stock: Outcome; ours: Outcome }>
  stop(): Promise<void>
}

/** What the pairs of one test file share. */
export interface Stage {
  openPair(variant: Variant): Promise<Pair>
  close(): Promise<void>
}

/** Prepares nothing yet: databases, pooler and bundle are made when a pair first needs them. */
export function openStage(): Stage {
  const databases = new Map<string, Promise<TestDatabase>>()
  let pooler: Promise<PgBouncer> | undefined
  let bundle: Bundle | undefined

  const database = (name: string) => {
    const made = databases.get(name) ?? createTestDatabase({ empty: true })
    databases.set(name, made)
    return made
  }
  const startPooler = () => {
    const { host, port, user, password } = inject('postgres')
    pooler ??= startPgBouncer({ server: { host, port, user, password } })
    return pooler
  }

  async function start(kind: 'stock' | 'ours', variant: Variant): Promise<SubjectProcess> {
    const { profile, route, build } = variant
    const { host, port, user, password, database: name } = (await database(`${kind} ${route}`)).connectionSettings
    const server: Address = { host, port, user, password, database: name }
    const address = route === 'pooler' ? { ...server, host: (await startPooler()).host, port: (await startPooler()).port } : server
    const ours = kind === 'ours' ? { profile, bundle: build === 'bundle' ? (bundle ??= buildApplication()).file : undefined } : {}
    return startSubject({ kind, address, server, closedPort: await closedPort, ...ours })
  }
  // The same for both subjects: messages name it.
  const closedPort = freePort()

  return {
    async openPair(variant) {
      const [stock, ours] = await Promise.all([start('stock', variant), start('ours', variant)])
      return {
        async run(one, fault) {
          const [ofStock, ofOurs] = await Promise.all([stock.run(one), ours.run(one, fault)])
          return { stock: ofStock, ours: ofOurs }
        },
        async stop() {
          await Promise.all([stock.stop(), ours.stop()])
        },
      }
    },
    async close() {
      await (await pooler)?.stop()
      for (const made of databases.values()) await (await made).drop()
      bundle?.remove()
    },
  }
}
