import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverEnvironment } from '../../src/server/postgres/cluster.ts'
import { createDatabase, databaseUrl } from '../../src/server/postgres/connection.ts'
import { freePort } from '../../src/server/postgres/free-port.ts'
import { serverIdentity } from '../../src/server/postgres/identity.ts'
import { startPostmaster } from '../../src/server/postgres/postmaster.ts'

/**
 * Returns the folder of the newest PostgreSQL that this machine has with all of its programs. The embedded one has neither
 * pg_dump nor translations.
 */
export function installedPostgres(what = 'the drill'): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin').sort((one, other) => majorOf(other) - majorOf(one))
  const found = folders.find(folder =>
    ['initdb', 'postgres', 'pg_ctl', 'pg_dump', 'pg_restore'].every(name => spawnSync(join(folder, name), ['--version']).status === 0),
  )
  if (found === undefined && process.env.CI) throw new Error(`PostgreSQL is not installed: ${what} cannot be left out here`)
  if (found === undefined) console.warn(`SKIPPED: ${what}, because PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)`)
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

export interface InstalledOptions {
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Variables of the server's environment. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a new, empty server of the installed programs. */
export async function startInstalledPostgres(
  bin: string,
  { settings: given = {}, environment = {} }: InstalledOptions = {},
): Promise<InstalledServer> {
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
  const program = join(folder, 'postgres')
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`)
  await writeFile(program, ['#!/bin/sh', ...variables, `exec '${join(bin, 'postgres')}' "$@"`, ''].join('\n'), { mode: 0o755 })
  const programs = { native: bin, postgres: program, initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), version: '', major: '' }
  const settings = { fsync: 'off', max_connections: '30', ...given }
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
