import type pg from 'pg'
import type { DatabaseSettings } from '../../../config/settings/database.ts'
import { pgTls } from '../../../config/tls.ts'
import { ApplicationError, DeadlineExceededError } from '../../../errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { untilReplay } from '../../../invocation/src/retry.ts'
import { wait } from '../../../invocation/src/wait.ts'
import { noConnectionError } from '../operation/caller-error.ts'
import { classifyError } from '../errors/classify-error.ts'
import { digestOf } from './digest.ts'
import { migrations as allMigrations } from '../../../app/migrations/index.ts'
import type { Migration } from './migration.ts'

export interface MigrateOptions {
  settings: DatabaseSettings
  deadline: Deadline
  migrations?: readonly Migration[]
  /** Whether to apply migrations that the deployed functions cannot live with; a database without any is broken by none. */
  allowBreaking?: boolean
}

export interface MigrateResult {
  /** Names of the migrations that this call applied, in order. */
  applied: string[]
  /** How many had been applied before. */
  alreadyApplied: number
}

// An arbitrary number that means "the schema is being migrated" to every copy of this project on one database.
const LOCK_KEY = 7_126_001
const POLL_MS = 250
const CONNECT_MS = 10_000
// How often the server looks whether the client of a running statement is still there.
const CLIENT_CHECK_MS = 500

/**
 * Applies pending migrations in order, on one connection of its own. Two at once are harmless: one holds the advisory
 * lock, the other asks for it again and again. It never waits inside a statement, because `CREATE INDEX CONCURRENTLY`
 * waits for every running statement and the two would deadlock.
 * @throws ApplicationError `migration-failed` naming the one that failed; `migration-breaking` naming those that are not allowed, before any is applied; `pooler-refused` behind a pooler, where the lock would not belong to this connection;
 * DatabaseUnavailableError; DeadlineExceededError when the lock was not free in time.
 */
export async function applyMigrations({
  settings,
  deadline,
  migrations = allMigrations,
  allowBreaking = false,
}: MigrateOptions): Promise<MigrateResult> {
  const client = await connect(settings, deadline)
  // What is still running when the time is over loses its client; the server sees that, and ends it and its lock.
  const cut = () => client.connection.stream.destroy()
  deadline.signal.addEventListener('abort', cut, { once: true })
  try {
    await refusePooler(client)
    await takeLock(client, deadline)
    return await runPending(client, migrations, allowBreaking)
  } catch (error) {
    throw deadline.signal.aborted ? new DeadlineExceededError({ cause: error }) : error
  } finally {
    deadline.signal.removeEventListener('abort', cut)
    await client.end().catch(() => undefined)
  }
}

// Nothing has been sent before there is a connection: as long as it may pass by itself, it is tried again.
async function connect(settings: DatabaseSettings, deadline: Deadline): Promise<pg.Client> {
  const { default: pgModule } = await import('pg')
  for (let tries = 0; ; tries += 1) {
    const client = new pgModule.Client({
      host: settings.host,
      port: settings.port,
      database: settings.name,
      user: settings.user,
      password: settings.password,
      ...pgTls(settings.tls, settings.host),
      application_name: 'ops/migrate',
      connectionTimeoutMillis: Math.max(1, Math.min(CONNECT_MS, deadline.remainingMs())),
      options: `-c client_connection_check_interval=${CLIENT_CHECK_MS}`,
    })
    // A connection that is cut while nothing is being asked must not end the process.
    client.on('error', () => undefined)
    try {
      await client.connect()
      return client
    } catch (error) {
      client.connection.stream.destroy()
      const verdict = classifyError(error)
      if (verdict.key === '08P01:startup-parameter') throw poolerRefused()
      const maxReplays = verdict.transient ? (verdict.maxReplays ?? Number.POSITIVE_INFINITY) : 0
      if (!(await untilReplay(tries, { deadline, signal: deadline.signal, maxReplays, shorten: true }))) throw noConnectionError(error, verdict)
    }
  }
}

// A pooler invents the process id it announces; the server behind it has another.
async function refusePooler(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  if (rows[0]?.pid === (client as unknown as { processID: number }).processID) return
  throw poolerRefused()
}

function poolerRefused(): ApplicationError {
  return new ApplicationError('Migrations need a direct connection, not a pooler: set DB_MIGRATION_URL.', { code: 'pooler-refused', status: 503 })
}

async function takeLock(client: pg.Client, deadline: Deadline): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY])
    if (rows[0]?.locked) return
    await wait(POLL_MS, deadline.signal)
  }
}

async function runPending(client: pg.Client, migrations: readonly Migration[], allowBreaking: boolean): Promise<MigrateResult> {
  const { Umzug } = await import('umzug')
  const umzug = new Umzug({
    migrations: migrations.map(migration => ({
      name: migration.name,
      up: () => runOne(client, migration).catch((error: unknown) => refuse(migration, error)),
    })),
    storage: {
      // A migration is recorded in its own transaction; see runOne.
      logMigration: async () => undefined,
      unlogMigration: async () => {
        throw new Error('migrations are not taken back')
      },
      executed: () => executedMigrations(client),
    },
    logger: undefined,
  })
  const alreadyApplied = (await umzug.executed()).length
  if (alreadyApplied > 0 && !allowBreaking) refuseBreaking(migrations, await umzug.pending())
  const applied = await umzug.up().catch((error: unknown) => {
    // umzug wraps what a migration threw; what is thrown here on purpose is told as it is.
    throw error instanceof Error && error.cause instanceof ApplicationError ? error.cause : error
  })
  return { applied: applied.map(({ name }) => name), alreadyApplied }
}

function refuseBreaking(migrations: readonly Migration[], pending: readonly { name: string }[]): void {
  const names = migrations.filter(({ name, breaking }) => breaking === true && pending.some(one => one.name === name)).map(({ name }) => name)
  if (names.length === 0) return
  const message = `The functions that are deployed cannot work once these are applied: ${names.join(', ')}. Nothing was applied.`
  throw new ApplicationError(message, { code: 'migration-breaking', status: 409, problem: { migrations: names } })
}

function refuse({ name }: Migration, cause: unknown): never {
  const message = `The migration ${name} failed; it was taken back unless it runs outside of a transaction.`
  throw new ApplicationError(message, { code: 'migration-failed', status: 500, cause })
}

async function executedMigrations(client: pg.Client): Promise<string[]> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now(), digest text)',
  )
  // It was made without digests once. Only its owner may alter it, so nobody does in vain.
  const { rows: missing } = await client.query(
    "SELECT WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass AND attname = 'digest')",
  )
  if (missing.length > 0) await client.query('ALTER TABLE schema_migrations ADD COLUMN digest text')
  const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name')
  return rows.map(({ name }) => name)
}

async function runOne(client: pg.Client, migration: Migration): Promise<void> {
  const context = { query: (text: string, values?: readonly unknown[]) => client.query(text, values ? [...values] : undefined) }
  const digest = await digestOf(migration)
  const record = () => client.query('INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)', [migration.name, digest])
  if (migration.transaction === false) {
    await migration.up(context)
    await record()
    return
  }
  await client.query('BEGIN')
  try {
    await migration.up(context)
    await record()
    await client.query('COMMIT')
  } catch (error) {
    // The first error is the one to report.
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}
