import { Sequelize } from 'sequelize'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Transaction } from 'sequelize'
import { profiles } from '../../src/pool/profile.ts'
import { type DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import type { GuardedClient } from '../../src/wire/guarded-client.ts'
import { openDatabase } from '../../../functions-runtime/src/database/connect.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import type { Generation } from '../../src/pool/generation.ts'
import { type ServerAddress, withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'

/** A connection of a pool of its own, as the functions have it. */
export interface Session {
  generation: Generation
  connection: GuardedClient
  transaction: Transaction
  /** Sends one statement through sequelize and gives the rows. */
  run<Row extends object>(statement: string): Promise<Row[]>
  pid(): Promise<number>
  /** Rejects with the error that the connection meets while nothing is asked of it. */
  fails(): Promise<never>
}

export interface SessionChanges extends Partial<Omit<DatabaseSettings, 'profile'>> {
  acquireMs?: number
  idleSessionMs?: number
  transactionIdleMs?: number
  applicationName?: string
}

const APPLICATION_NAME = 'error-table'
// The sockets are gone by then; sequelize only looks for that now and then.
const CLOSE_MS = 20
const LONG_MS = 60_000
const LOOK_AGAIN_MS = 10

/** A server and the sessions that a provocation opens on it. */
export class Stage {
  readonly server: ServerAddress
  readonly database: string
  /** Where the server is asked directly, when `server` is a pooler. */
  readonly direct: ServerAddress
  readonly #generations: Generation[] = []
  readonly #connections: [Generation, GuardedClient][] = []

  constructor(server: ServerAddress, database: string, direct: ServerAddress = server) {
    this.server = server
    this.database = database
    this.direct = direct
  }

  /** Builds a pool and connects to nothing. */
  async build({
    acquireMs,
    idleSessionMs = 0,
    transactionIdleMs = LONG_MS,
    applicationName = APPLICATION_NAME,
    ...address
  }: SessionChanges = {}): Promise<Generation> {
    const { host, port, user, password } = this.server
    const base = profiles.function
    const profile = { ...base, idleSessionMs, pool: { ...base.pool, acquireMs: acquireMs ?? base.pool.acquireMs } }
    const settings: DatabaseSettings = {
      host,
      port,
      user,
      password,
      name: this.database,
      schema: 'public',
      tls: { mode: 'off' },
      pooled: false,
      slowOperationMs: LONG_MS,
      ...address,
      profile,
    }
    const logger = createLogger({ name: 'test', level: 'silent' })
    const { manager } = openDatabase({ settings, applicationName, timeLimitMs: transactionIdleMs, logger })
    const generation = await manager.currentGeneration()
    this.#generations.push(generation)
    return generation
  }

  /** A Sequelize as it is without us; connects to nothing. */
  ordinary(dialectOptions: object = {}): Sequelize {
    const { host, port, user, password } = this.server
    return new Sequelize(this.database, user, password, { dialect: 'postgres', host, port, logging: false, dialectOptions })
  }

  async open(changes?: SessionChanges): Promise<Session> {
    const generation = await this.build(changes)
    const connection = await generation.acquire()
    this.#connections.push([generation, connection])
    const transaction = generation.host.enlist(connection)
    const run = async <Row extends object>(statement: string) => (await generation.sequelize.query(statement, { transaction }))[0] as Row[]
    return {
      generation,
      connection,
      transaction,
      run,
      pid: async () => (await run<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid ?? NaN,
      async fails() {
        const [error] = (await once(connection as unknown as EventTarget, 'error')) as [Error]
        throw error
      },
    }
  }

  /** Runs statements on the server over a connection that is no part of the provocation. */
  async ask<Row extends object>(statement: string): Promise<Row[]> {
    return withConnection(this.direct, this.database, async client => (await client.query<Row>(statement)).rows)
  }

  /** Ends the sessions that were opened, on this side only, except for the first `kept`. */
  async leave(kept = 0): Promise<void> {
    for (const [generation, connection] of this.#connections.splice(kept)) generation.destroy(connection)
    await Promise.all(this.#generations.splice(kept).map(generation => generation.close(CLOSE_MS)))
  }

  /** Ends every session that was opened and waits until the server has forgotten them. */
  async close(): Promise<void> {
    await this.leave()
    for (;;) {
      const left = await this.ask<{ pid: number }>(
        `SELECT pg_terminate_backend(pid), pid FROM pg_stat_activity WHERE application_name = '${APPLICATION_NAME}' AND datname = current_database()`,
      ).catch(() => [undefined])
      if (left.length === 0) return
      await sleep(LOOK_AGAIN_MS)
    }
  }
}

/** A provocation by statements of one session, the last of which fails. */
export function statements(...texts: string[]): (stage: Stage) => Promise<unknown> {
  return async stage => {
    const { run } = await stage.open()
    for (const text of texts) await run(text)
  }
}
