import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync, watch, type FSWatcher } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { type MigrationState } from '../cli/migrate/state.ts'
import { MIGRATIONS, TABLES } from '../sync/indexes/kinds.ts'
import { planIndexes, writeFiles } from '../sync/sync.ts'
import { LOCAL_FILE, type Variables } from './local-environment.ts'
import { type Resource } from './shutdown.ts'

export interface ChangesOptions {
  readonly checkout: string
  /** `package/function` of those that are served. */
  readonly functions: readonly string[]
  /** The database with the migrations that the start has applied. */
  readonly database: { readonly DB_MIGRATION_URL: string | undefined; readonly DB_SCHEMA: string | undefined }
  /** The environment of a program that looks at migrations. */
  readonly environment: Variables
  /** Takes one line for each change that is not served by itself. */
  readonly print: (line: string) => void
}

// What is read at the start only.
const READ_ONCE = ['project.yml', LOCAL_FILE]
const SOURCES = 'lib/app'
const FUNCTIONS = 'packages'
// Editors write a file in several steps, and a branch that is checked out changes many.
const SETTLED_AFTER_MS = 300

/**
 * Watches what a rebuild does not bring into service, and prints what is to be done about it. Indexes are written at once.
 * Migrations are announced and not applied: whether a file is complete cannot be told, and one that was applied must not change.
 */
export function watchChanges({ checkout, functions, database, environment, print }: ChangesOptions): Resource {
  const atStart = new Map(READ_ONCE.map(file => [file, textOf(join(checkout, file))]))
  const announced = new Set<string>()
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let looking = Promise.resolve()
  let seenMigrations = ownMigrations()

  const watchers = [
    watchFolder(checkout, false, path => READ_ONCE.includes(path)),
    watchFolder(join(checkout, SOURCES), true, () => true),
    watchFolder(join(checkout, FUNCTIONS), true, path => /^[^/\\]+(?:[/\\][^/\\]+(?:[/\\]index\.ts)?)?$/.test(path)),
  ]

  function watchFolder(folder: string, recursive: boolean, concerns: (path: string) => boolean): FSWatcher | undefined {
    if (!existsSync(folder)) return undefined
    const changed = (_event: string, path: string | null) => {
      if (path !== null && !concerns(path)) return
      clearTimeout(timer)
      timer = setTimeout(lookNext, SETTLED_AFTER_MS)
    }
    try {
      // A folder that vanishes is no reason to end the server.
      return watch(folder, { recursive, persistent: false }, changed).on('error', () => undefined)
    } catch (error) {
      print(`Changes in ${folder} are not seen: ${(error as Error).message}`)
      return undefined
    }
  }

  // One after the other. A file that vanishes between two looks at it is none to announce.
  function lookNext(): void {
    looking = looking.then(look).catch(() => undefined)
  }

  async function look(): Promise<void> {
    if (ending.signal.aborted) return
    for (const [file, text] of atStart) announce(`${file} has changed: restart npm start`, textOf(join(checkout, file)) !== text)
    const found = globSync(`${FUNCTIONS}/*/*/index.ts`, { cwd: checkout }).map(path => path.split(/[/\\]/).slice(1, 3).join('/'))
    for (const name of found) announce(`${FUNCTIONS}/${name} is new: restart npm start`, !functions.includes(name))
    writeIndexes()
    if (ownMigrations() === seenMigrations) return
    seenMigrations = ownMigrations()
    for (const state of await readStates()) announce(describe(state), true)
  }

  // Once, and again after it was taken back.
  function announce(line: string, holds: boolean): void {
    if (holds && !announced.has(line)) print(line)
    if (holds) announced.add(line)
    else announced.delete(line)
  }

  function writeIndexes(): void {
    const { files, problems } = planIndexes(checkout)
    for (const { file, reason, fix } of problems) announce(`${file}: ${reason}. ${fix}`, true)
    if (problems.length > 0) return
    writeFiles(checkout, files)
    for (const path of files.keys()) print(`written: ${path}`)
  }

  // Tables may have migrations beside their columns.
  function ownMigrations(): string {
    return [MIGRATIONS, TABLES]
      .flatMap(({ folder }) => globSync(`${folder}/*.ts`, { cwd: checkout }).sort())
      .map(path => textOf(join(checkout, path)))
      .join('\n')
  }

  async function readStates(): Promise<readonly MigrationState[]> {
    const program = join(import.meta.dirname, `migration-report${extname(import.meta.filename)}`)
    const variables = { ...environment, ...database, APPLICATION_FOLDER: checkout }
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: checkout, env: variables, signal: ending.signal })
      return JSON.parse(stdout) as MigrationState[]
    } catch {
      // Half written: the build says what is wrong with a file, and the next change brings another look.
      return []
    }
  }

  const end = () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher?.close()
    ending.abort()
  }
  return { end, kill: end }
}

function describe({ name, state, breaking }: MigrationState): string {
  if (state === 'changed') return `Migration ${name} has changed since it was applied: npm run migrate -- reset --local empties the database`
  return `Migration ${name} is not applied: npm run migrate -- up --local${breaking ? ' --allow-breaking' : ''}`
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
