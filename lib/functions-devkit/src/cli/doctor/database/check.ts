import type pg from 'pg'
import { readSettings, SettingsError, type Environment } from '../../../../../functions-runtime/src/settings/settings.ts'
import { databaseSettings, migrationSettings, type DatabaseSettings } from '../../../../../functions-runtime/src/database/settings.ts'
import { isPooled } from '../../connection.ts'
import { CodedError } from '../../../../../invocation/src/errors.ts'
import { findHomeSchema } from '../../../../../resilient-sequelize/src/migrate/home-schema.ts'
import { readMigrationStates } from '../../migrate/state.ts'
import { findingsOf, type Finding } from '../finding.ts'
import { SilenceError, within } from '../within.ts'
import { readFacts } from './facts.ts'
import { judgeFacts, judgeMigrations, judgePooler } from './judge.ts'
import { variableFor } from './names.ts'
import { findPoolerVersion, findPoolMode } from './pooler.ts'
import { reachDatabase } from './reach.ts'
import { judgeTls, takesDirectTls } from './tls.ts'

export interface DatabaseCheckOptions {
  readonly variables: Environment
  readonly containers: number
  /** Epoch ms. */
  readonly now: () => number
}

// For everything that is asked once the door is open, and for all of it together.
const ASK_MS = 5_000
const ALL_MS = 13_000
const FORBIDDEN = '42501'

/** The database as the functions reach it, and as the migrations do. */
export async function checkDatabase(options: DatabaseCheckOptions): Promise<Finding[]> {
  const settings = read(() => readSettings({ database: databaseSettings }, options.variables).database)
  const direct = read(() => readSettings({ database: migrationSettings }, options.variables).database)
  // The check of the settings tells.
  if (settings === undefined || direct === undefined) return []
  const another = options.variables.DB_MIGRATION_URL !== undefined && options.variables.DB_MIGRATION_URL.toLowerCase() !== 'none'
  try {
    const checks = [checkAsFunction(settings, { ...options, another }), ...(another ? [checkAsMigration(direct)] : [])]
    return (await within(ALL_MS, Promise.all(checks))).flat()
  } catch (error) {
    if (!(error instanceof SilenceError)) throw error
    return [findingsOf('database').fail('each step towards it takes too long', 'look at the network between here and the database, then try again')]
  }
}

async function checkAsFunction(
  settings: DatabaseSettings,
  { variables, containers, now, another }: DatabaseCheckOptions & { another: boolean },
): Promise<Finding[]> {
  const { client, findings, refusesStartUp } = await reachDatabase({
    settings,
    variable: part => variableFor(part, variables),
    takesDirectTls: () => takesDirectTls(settings),
  })
  if (client === undefined) return [...findings]
  return [...findings, ...(await ask(client, () => examine(client)))]

  async function examine(open: pg.Client): Promise<Finding[]> {
    const tls = judgeTls(open, { settings, now, direct: settings.tls.mode !== 'off' && (await takesDirectTls(settings)) })
    const mode = await findPoolMode(open, settings)
    const pooler = judgePooler(mode, { settings, refusesStartUp, version: mode === 'none' ? undefined : await findPoolerVersion(settings) })
    // It has hung up.
    if (mode === 'statement') return [...tls, pooler]
    const facts = judgeFacts(await readFacts(open, { schema: settings.schema, now }), {
      settings: { ...settings, pooled: settings.pooled || mode === 'transaction' },
      containers,
    })
    if (another) return [...tls, pooler, ...facts]
    if (mode !== 'none') return [...tls, pooler, ...facts, needsDirect('they cannot go through a pooler')]
    return [...tls, pooler, ...facts, ...(await examineMigrations(open, settings.schema))]
  }
}

async function checkAsMigration(settings: DatabaseSettings): Promise<Finding[]> {
  const { fail } = findingsOf('migrations')
  const { client, findings } = await reachDatabase({ settings, variable: () => 'DB_MIGRATION_URL', takesDirectTls: () => takesDirectTls(settings) })
  if (client === undefined) {
    return findings.filter(({ status }) => status === 'fail').map(({ reason, cure = '' }) => fail(`through DB_MIGRATION_URL: ${reason}`, cure))
  }
  return ask(client, async () => {
    if (await isPooled(client)) return [needsDirect('DB_MIGRATION_URL leads to a pooler')]
    const { mayCreate, exists } = await findHomeSchema(client, settings.schema)
    return [...(mayCreate ? [] : [mayNotCreate(settings.schema, exists)]), ...(await examineMigrations(client, settings.schema))]
  })
}

function mayNotCreate(schema: string, exists: boolean): Finding {
  const { fail } = findingsOf('migrations')
  if (exists) return fail('the user of DB_MIGRATION_URL may create no tables', `GRANT USAGE, CREATE ON SCHEMA "${schema}" TO that user`)
  return fail(
    `there is no schema ${schema}, and the user of DB_MIGRATION_URL may not create it`,
    `an administrator runs: CREATE SCHEMA "${schema}" AUTHORIZATION that user; or DB_SCHEMA names another`,
  )
}

async function examineMigrations(client: pg.Client, schema: string): Promise<Finding[]> {
  try {
    return judgeMigrations(await readMigrationStates(client, schema))
  } catch (error) {
    if (error instanceof CodedError && error.code === 'names-taken')
      return [findingsOf('migrations').fail('schema_migrations is another tool’s table', 'DB_SCHEMA with the name of a schema for our tables')]
    if ((error as { code?: string }).code !== FORBIDDEN) throw error
    return [
      findingsOf('migrations').fail('the user may not see which are applied, nor apply any', 'DB_MIGRATION_URL with the user who owns the tables'),
    ]
  }
}

async function ask(client: pg.Client, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await within(ASK_MS, work())
  } catch (error) {
    const code = (error as { code?: string }).code
    return [
      findingsOf('database').fail(
        `lets in, but does not answer${code === undefined ? '' : ` (${code})`}`,
        'look at the server’s log and load, then try again',
      ),
    ]
  } finally {
    client.connection.stream.destroy()
  }
}

function needsDirect(reason: string): Finding {
  return findingsOf('migrations').fail(reason, 'DB_MIGRATION_URL with the address of the database itself, port 25060')
}

function read<Value>(settings: () => Value): Value | undefined {
  try {
    return settings()
  } catch (error) {
    if (error instanceof SettingsError) return undefined
    throw error
  }
}
