import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { application } from '../application.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { openConnection } from '../cli/connection.ts'
import { readApplied, type MigrationState } from '../cli/migrate/state.ts'
import { MIGRATIONS, TABLES } from '../sync/indexes/kinds.ts'
import { type Announce } from './announcements.ts'
import { type Variables } from './local-environment.ts'

export interface MigrationChangesOptions {
  readonly checkout: string
  /** The database with the migrations that the start has applied. */
  readonly database: { readonly DB_MIGRATION_URL: string | undefined; readonly DB_SCHEMA: string | undefined }
  /** The environment of a program that looks at migrations. */
  readonly environment: Variables
  readonly announce: Announce
  /** Returns those that are not applied as they are now; undefined where the files cannot be loaded. */
  readonly readStates?: (signal: AbortSignal) => Promise<readonly MigrationState[] | undefined>
  /** Returns what the database has applied, as a text to compare; undefined where it does not answer. */
  readonly readStand?: () => Promise<string | undefined>
}

export interface MigrationChanges {
  /** Looks once. */
  look(): Promise<void>
  end(): void
}

// A database that stops answering must not hold up other announcements.
const WITHIN_MS = 5_000

/**
 * Announces migrations that are not applied, and takes that back once they are: after a change of their files, and while something is
 * announced also after a change of the database. They are not applied here: whether a file is complete cannot be told, and one that
 * was applied must not change.
 */
export function followMigrations(options: MigrationChangesOptions): MigrationChanges {
  const { checkout, announce, readStates = signal => reportedStates(options, signal), readStand = () => appliedIn(options) } = options
  const ending = new AbortController()
  let seenFiles = filesOf(checkout)
  let seenStand: string | undefined
  let announced = 0

  return {
    async look() {
      const files = filesOf(checkout)
      if (files === seenFiles && announced === 0) return
      const stand = (await readStand()) ?? seenStand
      if (files === seenFiles && stand === seenStand) return
      // Both at once: what was announced may have been mended in between, unseen.
      const isStale = files !== seenFiles && stand !== seenStand
      seenFiles = files
      seenStand = stand
      const states = await readStates(ending.signal)
      // Half written: the build says what is wrong with a file, and the next change brings another look.
      if (states === undefined) return
      if (isStale) announce('migrations', [])
      announced = states.length
      announce('migrations', states.map(describe))
    },
    end: () => ending.abort(),
  }
}

// Tables may have migrations beside their columns.
function filesOf(checkout: string): string {
  return [MIGRATIONS, TABLES]
    .flatMap(({ folder }) => globSync(`${folder}/*.ts`, { cwd: checkout }).sort())
    .map(path => readFileSync(join(checkout, path), 'utf8'))
    .join('\n')
}

// In a process of its own, because a module stays as it was first loaded.
async function reportedStates({ checkout, database, environment }: MigrationChangesOptions, signal: AbortSignal) {
  const program = join(import.meta.dirname, `migration-report${extname(import.meta.filename)}`)
  const variables = { ...environment, ...database, APPLICATION_FOLDER: checkout }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: checkout, env: variables, signal })
    return JSON.parse(stdout) as MigrationState[]
  } catch {
    return undefined
  }
}

async function appliedIn({ database }: MigrationChangesOptions): Promise<string | undefined> {
  try {
    const { database: settings } = readSettings({ database: migrationSettings }, database)
    const client = await openConnection(settings, { name: 'local/changes', withinMs: WITHIN_MS })
    try {
      const known = application.migrations.map(({ name }) => name)
      return JSON.stringify(await readApplied(client, { schema: settings.schema, known }))
    } finally {
      // The end of a session waits for the server, which may have stopped answering.
      client.connection.stream.destroy()
    }
  } catch {
    return undefined
  }
}

function describe({ name, state, breaking }: MigrationState): string {
  if (state === 'changed') return `Migration ${name} has changed since it was applied: npm run migrate -- reset --local empties the database`
  return `Migration ${name} is not applied: npm run migrate -- up --local${breaking ? ' --allow-breaking' : ''}`
}
