import { application } from '../application.ts'
import { readSettings, SettingsError, type Environment } from '../../../functions-runtime/src/settings/settings.ts'
import { migrationSettings, type DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { asLine } from '../../../functions-runtime/src/foreign-text.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runningDatabaseUrl } from '../server/local-database.ts'
import { readLocalFile } from '../server/local-environment.ts'
import { inWords } from '../server/report.ts'
import { redactMessage } from '../../../functions-runtime/src/telemetry/redact.ts'
import { openConnection } from './connection.ts'
import { ASK_DOCTOR } from './ask-doctor.ts'
import { checkMigrations } from './migrate/check.ts'
import { newMigration } from './migrate/new.ts'
import { readCommand, USAGE, type MigrateCommand } from './migrate/options.ts'
import { NotLocalError } from './migrate/local-server.ts'
import { resetDatabase } from './migrate/reset.ts'
import { withScratchDatabase } from './migrate/scratch.ts'
import { readMigrationStates } from './migrate/state.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run migrate`: the schema, from the machine of a developer. On the platform ops/migrate applies what is pending.

const TIME_MS = 10 * 60_000
// Characters of an error of the server, which may name what others made.
const LONGEST_MESSAGE = 2_000
const checkout = APPLICATION_FOLDER
// Errors about what a migration does: the doctor knows nothing about them.
const OF_MIGRATIONS = ['migration-failed', 'migration-breaking', 'deadline-exceeded']

process.exitCode = await run(process.argv.slice(2))

async function run(words: readonly string[]): Promise<0 | 1 | 2> {
  const command = readCommand(words)
  if (command === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    return (await perform(command)) ? 0 : 1
  } catch (error) {
    // The launcher names the package.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'MODULE_NOT_FOUND') throw error
    process.stderr.write(`${explain(error)}${hint(command, error)}\n`)
    return 1
  }
}

/** Does what was asked for, prints what came of it, and tells whether all is well. */
async function perform(command: MigrateCommand): Promise<boolean> {
  switch (command.action) {
    case 'new': {
      const { file, toDo } = newMigration(checkout, command.words)
      console.log([`Wrote ${file}`, ...(toDo === undefined ? [] : [toDo])].join('\n'))
      return true
    }
    case 'check': {
      const findings = await withScratchDatabase(client => checkMigrations(client))
      for (const { kind, migration, message } of findings) console.log(`${kind} ${migration} ${message}`)
      console.log(`${findings.length} finding${findings.length === 1 ? '' : 's'}`)
      return findings.every(({ kind }) => kind !== 'problem')
    }
    case 'status':
      return printStatus(settingsOf(command))
    case 'up': {
      await warnOfWaiting(command)
      const deadline = openDeadline({ remainingMs: TIME_MS, reserveMs: 0 })
      try {
        printApplied(
          await applyMigrations({
            settings: settingsOf(command),
            deadline,
            migrations: application.migrations,
            allowBreaking: command.allowBreaking,
          }),
        )
      } finally {
        deadline.clear()
      }
      return true
    }
    case 'reset':
      printApplied(await resetDatabase({ settings: settingsOf(command), withinMs: TIME_MS }))
      return true
    default:
      return command satisfies never
  }
}

// A wrong port is worth a line at once, not after all attempts.
async function warnOfWaiting(command: MigrateCommand & { readonly local: boolean }): Promise<void> {
  try {
    const client = await openConnection(settingsOf(command), { name: 'cli/migrate', withinMs: 10_000 })
    await client.end()
  } catch (error) {
    if (classifyError(error).transient) process.stderr.write(`${explain(error)}; retried for ${TIME_MS / 60_000} minutes${hint(command, error)}\n`)
  }
}

async function printStatus(settings: DatabaseSettings): Promise<boolean> {
  const client = await openConnection(settings, { name: 'cli/migrate', withinMs: 10_000 })
  try {
    const { migrations, unknown } = await readMigrationStates(client, settings.schema)
    for (const { name, state, breaking, appliedAt } of migrations) {
      console.log([state.padEnd(7), name, appliedAt?.toISOString(), breaking ? '(breaking)' : ''].filter(Boolean).join('  '))
    }
    for (const name of unknown) console.log(`unknown  ${asLine(name)}  (applied there, not in this checkout)`)
    return migrations.every(({ state }) => state === 'applied') && unknown.length === 0
  } finally {
    await client.end()
  }
}

function printApplied({ applied, alreadyApplied }: { applied: readonly string[]; alreadyApplied: number }): void {
  for (const name of applied) console.log(`applied  ${name}`)
  console.log(`${applied.length} applied now, ${alreadyApplied} before`)
}

function settingsOf({ local }: { readonly local: boolean }): DatabaseSettings {
  return readSettings({ database: migrationSettings }, local ? localEnvironment() : process.env).database
}

function localEnvironment(): Environment {
  const url = runningDatabaseUrl(checkout, process.env.LOCAL_DATA_FOLDER)
  if (url === undefined) throw new Error('No local server is running on this checkout: npm start starts one')
  return { DB_MIGRATION_URL: url, DB_SCHEMA: readLocalFile(checkout).DB_SCHEMA }
}

function explain(error: unknown): string {
  if (error instanceof SettingsError) return ['Settings are not usable:', ...error.issues.map(one => `  ${one.variable} ${one.reason}`)].join('\n')
  if (error instanceof NotLocalError)
    return `Refused: ${error.message}. Only a database of this machine is thrown away; --local takes that of npm start.`
  if (!(error instanceof CodedError)) return withoutHost(error)
  const cause =
    error.code === 'migration-failed' && error.cause instanceof Error ? `\n${asLine(error.cause.message, { maxLength: LONGEST_MESSAGE })}` : ''
  return `${error.code}: ${error.message}${cause}`
}

function hint(command: MigrateCommand, error: unknown): string {
  if (command.action === 'new' || command.action === 'check' || command.local) return ''
  if (error instanceof NotLocalError) return ''
  const { code } = (error ?? {}) as { code?: unknown }
  // A time limit and an end before the log-in have no code.
  const known = typeof code === 'string' ? !OF_MIGRATIONS.includes(code) : classifyError(error).connection !== 'keep'
  return known ? `\n${ASK_DOCTOR}` : ''
}

// What PostgreSQL and the network say has a code, and quotes hosts and users.
function withoutHost(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (!(error instanceof Error) || typeof code !== 'string') return inWords(error)
  return error.message === '' ? code : asLine(redactMessage(error.message), { maxLength: LONGEST_MESSAGE })
}
