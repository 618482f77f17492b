import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverEnvironment } from '../../lib/server/postgres/cluster.ts'
import { createDatabase, databaseUrl } from '../../lib/server/postgres/connection.ts'
import { freePort } from '../../lib/server/postgres/free-port.ts'
import { serverIdentity } from '../../lib/server/postgres/identity.ts'
import { startPostmaster } from '../../lib/server/postgres/postmaster.ts'

/** Folder of the newest PostgreSQL that this machine has with all of its programs; the embedded one brings no pg_dump. */
export function installedPostgres(): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin').sort((one, other) => majorOf(other) - majorOf(one))
  const found = folders.find(folder =>
    ['initdb', 'postgres', 'pg_dump', 'pg_restore'].every(name => spawnSync(join(folder, name), ['--version']).status === 0),
  )
  if (found === undefined && process.env.CI) throw new Error('PostgreSQL is not installed: the drill cannot be left out here')
  if (found === undefined) console.warn('SKIPPED: the drill, because PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)')
  return found
}

const majorOf = (folder: string) => Number(/postgresql\/(\d+)/.exec(folder)?.[1] ?? 0)

/** A server that is lost with everything on it when the test says so. */
export interface InstalledServer {
  /** A connection URL, password included; the database is made. */
  database(name: string): Promise<string>
  /** Ends it at once and removes its files. */
  destroy(): Promise<void>
}

/** Starts a new, empty server of the installed programs. */
export async function startInstalledPostgres(bin: string): Promise<InstalledServer> {
  const identity = serverIdentity()
  const folder = await mkdtemp(join(tmpdir(), 'drill-'))
  await chmod(folder, 0o755)
  const dataFolder = join(folder, 'data')
  await mkdir(dataFolder, { mode: 0o700 })
  if (identity) await chown(dataFolder, identity.uid, identity.gid)
  const server = { host: '127.0.0.1', port: await freePort(), user: 'postgres', password: 'none' }
  const made = spawnSync(join(bin, 'initdb'), ['-D', dataFolder, '-U', server.user, '--auth=trust', '--no-sync', '--encoding=UTF8', '--no-locale'], {
    ...identity,
    cwd: dataFolder,
    env: serverEnvironment(),
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const programs = { native: bin, postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), version: '', major: '' }
  const settings = { fsync: 'off', max_connections: '30' }
  const postmaster = await startPostmaster({ dataFolder, binaries: programs, identity, port: server.port, settings, onLog: () => undefined })
  return {
    async database(name) {
      await createDatabase(server, name)
      return databaseUrl(server, name)
    },
    async destroy() {
      await postmaster.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
