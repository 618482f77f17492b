import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { placeholderEnvironment, readEnvironmentFile } from '../../../doctl-project-schema/src/index.ts'
import { readContainerSettings } from './containers/settings.ts'
import { type PoolOptions } from './containers/pool.ts'
import { readOptionalPort, readPort } from './port.ts'

/** Variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>

export const LOCAL_FILE = '.env.local'

// Addresses and logins for a library that looks them up itself, such as libpq's.
const READ_BY_LIBRARIES = /^PG[A-Z]+$/

/** Returns the variables of `.env.local`, which is written as `.env` is. Without the file there are none. */
export function readLocalFile(checkout: string): Readonly<Record<string, string>> {
  return readEnvironmentFile(textOf(checkout, LOCAL_FILE), { fileName: LOCAL_FILE })
}

/** Returns the names of an application's settings: those that project.yml takes from the environment, and the documented ones. */
export function settingsOf(checkout: string): string[] {
  const [passed, documented] = [placeholderEnvironment(textOf(checkout, 'project.yml')), readEnvironmentFile(textOf(checkout, '.env.example'))]
  return Object.keys({ ...passed, ...documented })
}

/** What `npm start` finds for itself in the shell and in `.env.local`, and what it passes on. */
export interface LocalEnvironment {
  /** Settings of functions: of `.env.local` alone. */
  readonly settings: Readonly<Record<string, string>>
  readonly port: number
  /** Where database and Redis listen from now on; undefined keeps what is kept. */
  readonly ports: { readonly database: number | undefined; readonly redis: number | undefined }
  /** The containers of each function. */
  readonly pool: PoolOptions
}

/**
 * Reads `.env.local` and what the shell has for `npm start` itself.
 * @throws Error when a port is none, or a number of containers or milliseconds.
 */
export function readLocalEnvironment(checkout: string, shell: Variables): LocalEnvironment {
  const settings = readLocalFile(checkout)
  const environment: Variables = { ...settings, ...Object.fromEntries(Object.entries(shell).filter(([, value]) => value)) }
  const { PORT, LOCAL_DATABASE_PORT, LOCAL_REDIS_PORT } = environment
  return {
    settings,
    port: readPort(PORT),
    ports: {
      database: readOptionalPort('LOCAL_DATABASE_PORT', LOCAL_DATABASE_PORT),
      redis: readOptionalPort('LOCAL_REDIS_PORT', LOCAL_REDIS_PORT),
    },
    pool: readContainerSettings(environment),
  }
}

/** Returns a variable that `npm start` itself reads: of the shell, else of `.env.local`. */
export function localVariable(checkout: string, name: string, shell: Variables = process.env): string | undefined {
  return shell[name] || readLocalFile(checkout)[name]
}

/**
 * Takes the settings of functions out of an environment, because those of a shell may be production's. Returns their names.
 * `names` are those that project.yml passes.
 */
export function removeSettings(environment: Record<string, string | undefined>, names: Iterable<string>): readonly string[] {
  const settings = new Set(names)
  const removed = Object.keys(environment).filter(name => environment[name] && (settings.has(name) || READ_BY_LIBRARIES.test(name)))
  for (const name of removed) delete environment[name]
  return removed
}

function textOf(checkout: string, name: string): string {
  const file = join(checkout, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
