import type pg from 'pg'
import { DeadlineExceededError, CodedError } from '../../../invocation/src/errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { untilReplay } from '../../../invocation/src/retry.ts'
import { wait } from '../../../invocation/src/wait.ts'
import { noConnectionError } from '../operation/caller-error.ts'
import { RAISE_SESSION } from '../wire/durability.ts'
import { READ_ONLY, refuseUnsupported, type Announced } from '../wire/supported-server.ts'
import { processIdOf } from '../wire/pg-internals.ts'
import { classifyError } from '../errors/classify-error.ts'
import { UnsupportedServerError } from '../errors/errors.ts'
import { digestOf } from './digest.ts'
import type { Migration } from './migration.ts'

export interface ApplyOptions {
  /** Opens a connection to the server itself, not to a pooler; called again while what it meets may pass. */
  connect: () => Promise<pg.Client>
  deadline: Deadline
  migrations: readonly Migration[]
  /** Whether to apply migrations that the deployed code cannot live with; a database without any is broken by none. */
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

/**
 * Applies pending migrations in order, on one connection of its own. Two at once are harmless: one holds the advisory
 * lock, the other asks for it again and again. It never waits inside a statement, because `CREATE INDEX CONCURRENTLY`
 * waits for every running statement and the two would deadlock.
 * @throws CodedError `migration-failed` naming the one that failed; `migration-breaking` naming those that are not allowed, before any is applied; `pooler-refused` behind a pooler, where the lock would not belong to this connection;
 * UnsupportedServerError; `server-read-only` on a standby; DatabaseUnavailableError; DeadlineExceededError when the lock was not free in time.
 */
export async function applyMigrations({ connect, deadline, migrations, allowBreaking = false }: ApplyOptions): Promise<MigrateResult> {
  const client = await connectInTime(connect, deadline)
  // What is still running when the time is over loses its client; the server sees that, and ends it and its lock.
  const cut = () => client.connection.stream.destroy()
  deadline.signal.addEventListener('abort', cut, { once: true })
  try {
    await refuseServer(client)
    // What is told to be applied survives a crash.
    await client.query(RAISE_SESSION)
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
async function connectInTime(connect: () => Promise<pg.Client>, deadline: Deadline): Promise<pg.Client> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await connect()
    } catch (error) {
      if (error instanceof UnsupportedServerError) throw error
      const verdict = classifyError(error)
      if (verdict.key === '08P01:startup-parameter') throw poolerRefused()
      const maxReplays = verdict.transient ? (verdict.maxReplays ?? Number.POSITIVE_INFINITY) : 0
      if (!(await untilReplay(tries, { deadline, signal: deadline.signal, maxReplays, shorten: true }))) throw noConnectionError(error, verdict)
    }
  }
}

async function refuseServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ pid: number; readOnly: string } & Announced>(`SELECT pg_backend_pid() AS pid,
    current_setting('transaction_read_only') AS "readOnly",
    current_setting('server_version') AS server_version, current_setting('server_encoding') AS server_encoding`)
  const [row] = rows
  // A pooler invents the process id it announces; the server behind it has another.
  if (row?.pid !== processIdOf(client)) throw poolerRefused()
  refuseUnsupported(row)
  if (row.readOnly === 'on') throw new CodedError(`${READ_ONLY} Nothing was applied.`, { code: 'server-read-only', retryable: true })
}

function poolerRefused(): CodedError {
  return new CodedError('Migrations need a direct connection, not a pooler: set DB_MIGRATION_URL.', { code: 'pooler-refused' })
}

async function takeLock(client: pg.Client, deadline: Deadline): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY])
    if (rows[0]?.locked) return
    await wait(POLL_MS, deadline.signal)
  }
}

async function runPending(client: pg.Client, migrations: readonly Migration[], allowBreaking: boolean): Promise<MigrateResult> {
  const executed = new Set(await executedMigrations(client))
  const pending = migrations.filter(({ name }) => !executed.has(name))
  if (executed.size > 0 && !allowBreaking) refuseBreaking(pending)
  for (const migration of pending) await runOne(client, migration).catch((error: unknown) => refuse(migration, error))
  return { applied: pending.map(({ name }) => name), alreadyApplied: executed.size }
}

function refuseBreaking(pending: readonly Migration[]): void {
  const names = pending.filter(({ breaking }) => breaking === true).map(({ name }) => name)
  if (names.length === 0) return
  const message = `The functions that are deployed cannot work once these are applied: ${names.join(', ')}. Nothing was applied.`
  throw new CodedError(message, { code: 'migration-breaking', details: { migrations: names } })
}

function refuse({ name }: Migration, cause: unknown): never {
  const message = `The migration ${name} failed; it was taken back unless it runs outside of a transaction.`
  throw new CodedError(message, { code: 'migration-failed', cause })
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
