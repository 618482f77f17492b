import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { createDatabase, withConnection, type ServerAddress } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { startPostgres, type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { processesServing, signal } from '../../../functions-devkit/src/server/postgres/system-process.ts'
import { POOLER_SETTINGS } from '../matrix/way.ts'
import { observe, type Observer } from '../observer.ts'
import { startPgBouncer, type PgBouncer } from '../pgbouncer.ts'
import { makeServerFolder } from '../server-folder.ts'

/** A server of one's own, perhaps with a pooler in front, and databases on it. */
export interface Ground {
  /** Lends a database with the tables and rows of the template. */
  borrow(way: ProvenWay): Promise<ProofDatabase>
  /** Stops the server: with `immediate` it recovers at its next start. */
  stop(how: 'fast' | 'immediate'): Promise<void>
  /** Kills all processes of the server at once, before this returns. */
  kill(): void
  /** Starts the server again once all of its processes are gone. */
  restart(): Promise<void>
}

/** Servers with the same data. */
export interface Grounds {
  readonly all: readonly Ground[]
  stop(): Promise<void>
}

/** A database that one run has to itself. */
export interface ProofDatabase extends Pick<Observer, 'query'> {
  readonly name: string
  /** Differs among the databases of all grounds. */
  readonly number: number
  readonly login: Pick<ServerAddress, 'user' | 'password'>
  /** What a proxy is put in front of. */
  targetOf(way: ProvenWay): Pick<ServerAddress, 'host' | 'port'>
  /** The pooler's clients of this database. */
  countPoolerClients(): Promise<number>
  release(): void
}

export interface GroundOptions {
  /** Makes the tables of the template. */
  readonly prepare: (url: string) => Promise<void>
  readonly programsFolder: string
  readonly withPooler: boolean
}

/** The name of the sessions that look at a database past every proxy. */
export const OBSERVER = 'prove'

const TEMPLATE = 'template_prove'
// A killed server keeps what it has written: only a machine that loses its power would need fsync.
const SETTINGS = { fsync: 'off', autovacuum: 'off', shared_buffers: '32MB', max_connections: '200' }
const LOOK_AGAIN_MS = 2

let databases = 0

/** Starts so many servers from the same data. */
export async function startGrounds(count: number, { prepare, programsFolder, withPooler }: GroundOptions): Promise<Grounds> {
  const stops: (() => Promise<unknown>)[] = []
  const start = async (template?: LocalPostgres) => {
    const folder = await makeServerFolder()
    stops.push(() => rm(folder, { recursive: true, force: true }))
    if (template !== undefined) copy(template.dataFolder, join(folder, basename(template.dataFolder)))
    const postgres = await startPostgres({ folder, programsFolder, settings: SETTINGS })
    stops.push(() => postgres.stop('immediate'))
    return postgres
  }
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  try {
    const first = await start()
    await first.createDatabase(TEMPLATE)
    await prepare(first.url(TEMPLATE))
    await first.stop('fast')
    const others = await Promise.all(Array.from({ length: count - 1 }, () => start(first)))
    await first.start()
    return { all: await Promise.all([first, ...others].map(postgres => openGround(postgres, withPooler, stops))), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openGround(postgres: LocalPostgres, withPooler: boolean, stops: (() => Promise<unknown>)[]): Promise<Ground> {
  const { host, port, user, password } = postgres
  const server = { host, port, user, password }
  // A pooler keeps sessions after its clients: a direct way would find them.
  const idle: Record<ProvenWay, ProofDatabase[]> = { direct: [], pooler: [] }
  let restarting: Promise<void> | undefined
  // One that is being started cannot be stopped.
  stops.push(async () => restarting?.catch(() => undefined))
  const pooler: PgBouncer | undefined = withPooler ? await startPgBouncer({ server, settings: { ...POOLER_SETTINGS } }) : undefined
  if (pooler !== undefined) stops.push(() => pooler.stop())

  async function create(way: ProvenWay): Promise<ProofDatabase> {
    const number = databases++
    const name = `prove_${number}`
    await createDatabase(server, name, TEMPLATE)
    const observer = observe(server, name, OBSERVER)
    stops.push(() => observer.end())
    const database: ProofDatabase = {
      name,
      number,
      login: { user, password },
      query: observer.query,
      targetOf(way) {
        if (way === 'direct') return { host, port }
        if (pooler === undefined) throw new Error('There is no pooler on this ground')
        return { host: pooler.host, port: pooler.port }
      },
      async countPoolerClients() {
        if (pooler === undefined) return 0
        const { rows } = await withConnection(pooler, 'pgbouncer', admin => admin.query<{ database: string }>('SHOW CLIENTS'))
        return rows.filter(({ database }) => database === name).length
      },
      release: () => void idle[way].push(database),
    }
    return database
  }

  return {
    borrow: async way => idle[way].shift() ?? create(way),
    stop: how => postgres.stop(how),
    kill() {
      for (const pid of processesServing(postgres.dataFolder)) signal(pid, 'SIGKILL')
    },
    restart: () => (restarting = startAgain()),
  }

  async function startAgain(): Promise<void> {
    while (postgres.pid !== undefined) await sleep(LOOK_AGAIN_MS)
    // Forgets the one that is gone.
    await postgres.stop('immediate')
    await postgres.start()
  }
}

function copy(from: string, to: string): void {
  const copied = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(`the data was not copied: ${copied.stderr}`)
}
