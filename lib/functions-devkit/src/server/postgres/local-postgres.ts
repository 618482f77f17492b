import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { reachableBinaries } from './binaries.ts'
import { initialiseCluster, isInitialised, keptPassword } from './cluster.ts'
import { createDatabase, databaseUrl, withConnection } from './connection.ts'
import { makeFolder, openFolder } from './folder.ts'
import { freePort, requireFree } from './free-port.ts'
import { serverIdentity } from './identity.ts'
import { clearLeftover } from './leftover.ts'
import { startPostmaster, type Postmaster } from './postmaster.ts'
import { installCertificate, type ServerCertificate } from './server-certificate.ts'

/** A PostgreSQL on this machine that we started and stop. */
export interface LocalPostgres {
  host: string
  port: number
  user: string
  password: string
  dataFolder: string
  /** The process id of the running server. */
  readonly pid: number | undefined
  /** A connection URL, password included. */
  url(database: string): string
  /** Creates a database unless it exists, as a copy of `template` if one is named. */
  createDatabase(name: string, options?: { template?: string }): Promise<void>
  /** Ends the sessions and the server, at once with `immediate` (recovery follows at the next start). Resolves when it is gone. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** Stops it at once, before this returns: for a process that is about to end. */
  kill(): void
  /** Starts it again on the same port. */
  start(): Promise<void>
}

export interface StartOptions {
  /** Where the data goes, and a copy of the programs if the server's user cannot reach them. */
  folder: string
  /** Where that copy goes instead: for a `folder` that is thrown away. */
  programsFolder?: string
  /** Default: a free one. */
  port?: number
  user?: string
  /** Default: the one the data was initialised with, at first a random one. */
  password?: string
  /** Server settings, as in postgresql.conf. */
  settings?: Readonly<Record<string, string>>
  /** Turns TLS on. */
  certificate?: ServerCertificate
  onLog?: (line: string) => void
}

/**
 * Starts PostgreSQL on 127.0.0.1, initialising its data at the first start. A server of the same data that
 * was left behind by a killed process is stopped first.
 *
 * Rejects with the server's last log lines when it does not start, and when `password` is not the one the
 * data was initialised with; with a PortTakenError when another program listens on the port.
 */
export async function startPostgres(options: StartOptions): Promise<LocalPostgres> {
  const folder = resolve(options.folder)
  const { user = 'postgres', settings = {}, onLog = () => {} } = options
  const identity = serverIdentity()
  await makeFolder(folder)
  await openFolder(folder, identity)
  const binaries = await reachableBinaries(resolve(options.programsFolder ?? folder), identity)
  const dataFolder = join(folder, `postgres-${binaries.major}`)
  if (!(await isInitialised(dataFolder))) {
    const initial = options.password ?? randomBytes(18).toString('base64url')
    await initialiseCluster({ dataFolder, binaries, identity, user, password: initial, durable: settings.fsync !== 'off' })
  }
  const password = options.password ?? (await keptPassword(dataFolder))
  const tls = options.certificate ? await installCertificate(dataFolder, options.certificate, identity) : {}
  const port = options.port ?? (await freePort())
  const server = { host: '127.0.0.1', port, user, password }

  let running: Postmaster | undefined
  async function start(): Promise<void> {
    if (running && !running.hasEnded()) throw new Error(`PostgreSQL is already running on port ${port}`)
    // One that was killed from outside is still to be ended at the exit of this process.
    await running?.stop('immediate')
    await clearLeftover(dataFolder)
    await requireFree(port)
    running = await startPostmaster({ dataFolder, binaries, identity, port, settings: { ...tls, ...settings }, onLog })
    try {
      await withConnection(server, 'postgres', client => client.query('SELECT 1'))
    } catch (cause) {
      await running.stop('fast')
      throw new Error(`PostgreSQL in ${dataFolder} runs but refuses user "${user}": ${(cause as Error).message}`, { cause })
    }
  }
  await start()

  return {
    ...server,
    dataFolder,
    get pid() {
      return running?.hasEnded() === false ? running.pid : undefined
    },
    url: database => databaseUrl(server, database),
    createDatabase: (name, { template } = {}) => createDatabase(server, name, template),
    stop: async (mode = 'fast') => running?.stop(mode),
    kill: () => running?.kill(),
    start,
  }
}
