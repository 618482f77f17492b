import { spawnSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { withConnection, type ServerAddress } from '../../functions-devkit/src/server/postgres/connection.ts'
import { dataRootFor } from '../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../functions-devkit/src/server/postgres/local-postgres.ts'
import { startProxy, type Proxy } from './proxy/proxy.ts'
import { makeServerFolder } from './server-folder.ts'

/** A primary, a standby that streams from it, and the address that clients have: it leads to the primary at first. */
export interface FailoverPair {
  readonly primary: LocalPostgres
  readonly standby: LocalPostgres
  readonly address: Proxy & ServerAddress
  /** Between the two servers: what it keeps back, the standby does not receive. */
  readonly replication: Proxy
  /** Resolves when the standby has received everything that the primary has flushed. */
  received(): Promise<void>
  /** Resolves when the standby has replayed that as well. */
  replayed(): Promise<void>
  /** Leads the address to the standby, and cuts what leads to the primary. */
  moveAddress(): void
  /** Promotes the standby; resolves when it takes writes. */
  promote(): Promise<void>
  stop(): Promise<void>
}

export interface PairOptions {
  readonly primarySettings?: Readonly<Record<string, string>>
  readonly standbySettings?: Readonly<Record<string, string>>
}

type Settings = Readonly<Record<string, string>>

const SETTINGS = { fsync: 'off', autovacuum: 'off', shared_buffers: '16MB', max_connections: '40', wal_retrieve_retry_interval: '100ms' }
// Both begin with the same files: what the primary wrote before the standby asks for it must still be there.
const KEEP = { wal_keep_size: '64MB' }
const LOOK_AGAIN_MS = 10

/** Starts a pair from a stopped server's data, which it copies: `template` is its data folder. */
export async function startFailoverPair(
  template: LocalPostgres,
  { primarySettings = {}, standbySettings = {} }: PairOptions = {},
): Promise<FailoverPair> {
  const folders: string[] = []
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    await Promise.all(stops.splice(0).map(end => end()))
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  }
  const start = async (settings: Settings, isStandby: boolean): Promise<LocalPostgres> => {
    const folder = await makeServerFolder()
    folders.push(folder)
    const data = join(folder, basename(template.dataFolder))
    copy(template.dataFolder, data)
    if (isStandby) await writeFile(join(data, 'standby.signal'), '', { mode: 0o666 })
    const postgres = await startPostgres({ folder, programsFolder, settings: { ...SETTINGS, ...settings } })
    stops.push(() => postgres.stop('immediate'))
    return postgres
  }
  try {
    const primary = await start({ ...KEEP, ...primarySettings }, false)
    const { host, user, password } = primary
    const replication = await startProxy({ target: primary, certificates: false })
    stops.push(() => replication.stop())
    const source = `host=${host} port=${replication.port} user=${user} password=${password}`
    const standby = await start({ primary_conninfo: source, ...standbySettings }, true)
    const address = await startProxy({ target: primary, certificates: false })
    stops.push(() => address.stop())
    const reaches = async (position: string) => {
      const [end] = await ask<{ lsn: string }>(primary, 'SELECT pg_current_wal_flush_lsn()::text AS lsn')
      await becomesTrue(standby, `coalesce(${position} >= '${end?.lsn}', false)`)
    }
    const pair: FailoverPair = {
      primary,
      standby,
      address: Object.assign(address, { user, password }),
      replication,
      received: () => reaches('pg_last_wal_receive_lsn()'),
      replayed: () => reaches('pg_last_wal_replay_lsn()'),
      moveAddress() {
        address.retarget(standby)
        address.cutAll('reset')
      },
      async promote() {
        await ask(standby, 'SELECT pg_promote(false)')
        await becomesTrue(standby, 'NOT pg_is_in_recovery()')
      },
      stop,
    }
    // A standby that is given nothing new does not tell what it has received.
    await ask(primary, "SELECT pg_logical_emit_message(true, 'begin', '')")
    await pair.replayed()
    return pair
  } catch (error) {
    await stop()
    throw error
  }
}

/** Initialises the data that pairs begin with; the server is stopped. */
export async function initialiseTemplate(): Promise<{ template: LocalPostgres; remove(): Promise<void> }> {
  const folder = await makeServerFolder()
  const template = await startPostgres({ folder, programsFolder, settings: SETTINGS })
  await template.stop('fast')
  return { template, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Runs one statement on a server, past its address. */
export async function ask<Row extends pg.QueryResultRow>(
  { host, port, user, password }: ServerAddress,
  sql: string,
  database = 'postgres',
): Promise<Row[]> {
  return withConnection({ host, port, user, password }, database, async client => (await client.query<Row>(sql)).rows)
}

async function becomesTrue(server: ServerAddress, condition: string): Promise<void> {
  const isTrue = async () => (await ask<{ holds: boolean }>(server, `SELECT ${condition} AS holds`))[0]?.holds
  while (!(await isTrue())) await sleep(LOOK_AGAIN_MS)
}

const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../..')).folder

function copy(from: string, to: string): void {
  const copied = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(`the data was not copied: ${copied.stderr}`)
}
