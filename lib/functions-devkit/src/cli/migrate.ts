import { application } from '../application.ts'
import { readSettings, SettingsError } from '../../../functions-runtime/src/settings/settings.ts'
import { migrationSettings, type DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { asLine, readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { NotRunningError, requireRunningServer } from '../server/running-server.ts'
import { openConnection } from './connection.ts'
import { ASK_DOCTOR } from './ask-doctor.ts'
import { ofLocalDatabase, withoutHost } from './error-words.ts'
import { checkMigrations } from './migrate/check.ts'
import { newMigration } from './migrate/new.ts'
import { NotLocalError } from './migrate/local-server.ts'
import { resetDatabase } from './migrate/reset.ts'
import { withScratchDatabase } from './migrate/scratch.ts'
import { readMigrationStates } from './migrate/state.ts'
import { command, type MigrateCommand } from './options/migrate.ts'
import { createProgress, NO_PROGRESS } from './progress.ts'
import { asTable } from './table.ts'
import { findReasonToWait } from './waiting.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run migrate`: the schema, from the machine of a developer. On the platform ops/migrate applies what is pending.

const NAME = 'cli/migrate'
const TIME_MS = 10 * 60_000
const CONNECT_MS = 10_000
// Characters of an error of the server, which may name what others made.
const LONGEST_MESSAGE = 2_000
const checkout = APPLICATION_FOLDER
// Errors about what a migration does: the doctor knows nothing about them.
const OF_MIGRATIONS = ['migration-failed', 'migration-breaking', 'deadline-exceeded']

const asked = command.readOrExit()
const progress = asked.json ? NO_PROGRESS : createProgress()
process.exitCode = await run()

async function run(): Promise<0 | 1> {
  try {
    const { isFine, json, text } = await perform(asked)
    progress.end()
    process.stdout.write(asked.json ? `${readableJson(json)}\n` : text)
    return isFine ? 0 : 1
  } catch (error) {
    progress.end()
    // The launcher names the package.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'MODULE_NOT_FOUND') throw error
    process.stderr.write(`${explain(error)}${hint(asked, error)}\n`)
    return 1
  }
}

/** What came of a command, for programs and for people. */
interface Outcome {
  readonly isFine: boolean
  readonly json: unknown
  readonly text: string
}

async function perform(what: MigrateCommand): Promise<Outcome> {
  switch (what.action) {
    case 'new': {
      const { file, toDo } = newMigration(checkout, what.words)
      return { isFine: true, json: { file, toDo }, text: linesOf([`Wrote ${file}`, ...(toDo === undefined ? [] : [toDo])]) }
    }
    case 'check': {
      progress.step('applying the migrations to a database made for it')
      const findings = await withScratchDatabase(client => checkMigrations(client))
      const lines = findings.map(({ kind, migration, message }) => `${kind} ${migration} ${message}`)
      return {
        isFine: findings.every(({ kind }) => kind !== 'problem'),
        json: { findings },
        text: linesOf([...lines, `${findings.length} finding${findings.length === 1 ? '' : 's'}`]),
      }
    }
    case 'status':
      return readStatus(settingsOf(what))
    case 'up': {
      await warnOfWaiting(what)
      progress.step('applying the migrations')
      const deadline = openDeadline({ remainingMs: TIME_MS, reserveMs: 0 })
      try {
        const { migrations } = application
        return outcomeOf(await applyMigrations({ settings: settingsOf(what), deadline, migrations, allowBreaking: what.allowBreaking }))
      } finally {
        deadline.clear()
      }
    }
    case 'reset':
      return outcomeOf(await resetDatabase({ settings: settingsOf(what), withinMs: TIME_MS }))
    default:
      return what satisfies never
  }
}

// A wrong port is worth a line at once, not after all attempts.
async function warnOfWaiting(what: MigrateCommand & { readonly local: boolean }): Promise<void> {
  const reason = await findReasonToWait(settingsOf(what), { name: NAME, withinMs: CONNECT_MS })
  if (reason === undefined) return
  progress.above(() => process.stderr.write(`${explain(reason)}; retried for ${TIME_MS / 60_000} minutes${hint(what, reason)}\n`))
}

async function readStatus(settings: DatabaseSettings): Promise<Outcome> {
  const client = await openConnection(settings, { name: NAME, withinMs: CONNECT_MS })
  try {
    const { migrations, unknown } = await readMigrationStates(client, settings.schema)
    const rows = [
      ...migrations.map(({ name, state, breaking, appliedAt }) => ({ state, migration: name, applied: appliedAt, note: breaking ? 'breaking' : '' })),
      ...unknown.map(name => ({ state: 'unknown', migration: name, applied: undefined, note: 'applied there, not in this checkout' })),
    ]
    return {
      isFine: migrations.every(({ state }) => state === 'applied') && unknown.length === 0,
      json: { migrations, unknown },
      text: rows.length === 0 ? 'No migration\n' : asTable(rows),
    }
  } finally {
    await client.end()
  }
}

function outcomeOf({ applied, alreadyApplied }: { applied: readonly string[]; alreadyApplied: number }): Outcome {
  const lines = applied.map(name => `applied  ${name}`)
  return {
    isFine: true,
    json: { applied, alreadyApplied },
    text: linesOf([...lines, `${applied.length} applied now, ${alreadyApplied} before`]),
  }
}

function linesOf(lines: readonly string[]): string {
  return lines.map(line => `${line}\n`).join('')
}

function settingsOf({ local }: { readonly local: boolean }): DatabaseSettings {
  return readSettings({ database: migrationSettings }, local ? requireRunningServer().settings() : process.env).database
}

function explain(error: unknown): string {
  if (error instanceof SettingsError) return ['Settings are not usable:', ...error.issues.map(one => `  ${one.variable} ${one.reason}`)].join('\n')
  if (error instanceof NotLocalError)
    return `Refused: ${error.message}. Only a database of this machine is thrown away; --local takes that of npm start.`
  if (!(error instanceof CodedError)) return asked.local ? ofLocalDatabase(error) : withoutHost(error)
  const cause =
    error.code === 'migration-failed' && error.cause instanceof Error ? `\n${asLine(error.cause.message, { maxLength: LONGEST_MESSAGE })}` : ''
  return `${error.code}: ${error.message}${cause}`
}

function hint(what: MigrateCommand, error: unknown): string {
  if (what.action === 'new' || what.action === 'check' || what.local) return ''
  if (error instanceof NotLocalError || error instanceof NotRunningError) return ''
  const { code } = (error ?? {}) as { code?: unknown }
  // A time limit and an end before the log-in have no code.
  const known = typeof code === 'string' ? !OF_MIGRATIONS.includes(code) : classifyError(error).connection !== 'keep'
  return known ? `\n${ASK_DOCTOR}` : ''
}
