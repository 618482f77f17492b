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
import { OF_OPTIONS, type Cures } from './cures.ts'
import { digestOf } from './digest.ts'
import { findHomeSchema, refuseClosedSchema } from './home-schema.ts'
import type { Migration } from './migration.ts'
import { findMigrationsTable, isForeign, nameOfTable, noteUnderWay, prepareMigrationsTable, quoteName, TABLE } from './migrations-table.ts'
import { refuseTakenNames } from './taken-names.ts'

export interface ApplyOptions {
  /** Opens a connection to the server itself, not to a pooler; called again while what it meets may pass. */
  connect: () => Promise<pg.Client>
  deadline: Deadline
  migrations: readonly Migration[]
  /** The schema that they work in; without it, the first one of the search path. */
  schema?: string | undefined
  /** Whether to apply migrations that the deployed code cannot live with; a database without any is broken by none. */
  allowBreaking?: boolean
  /** By default those of `migrate`. */
  cures?: Cures
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
const DEFAULT_SCHEMA = 'public'

/**
 * Applies pending migrations in order, on one connection of its own. Two at once are harmless: one holds the advisory
 * lock, the other asks for it again and again. It never waits inside a statement, because `CREATE INDEX CONCURRENTLY`
 * waits for every running statement and the two would deadlock.
 * @throws CodedError `migration-failed` naming the one that failed; `migration-breaking` naming those that are not allowed, `names-taken` naming what others own, `schema-missing`, `schema-closed` and
 * `migrations-elsewhere`, all before anything is changed; `pooler-refused` behind a pooler, where the lock would not belong to this connection;
 * UnsupportedServerError; `server-read-only` on a standby; DatabaseUnavailableError; DeadlineExceededError when the lock was not free in time.
 */
export async function applyMigrations(options: ApplyOptions): Promise<MigrateResult> {
  const { connect, deadline, cures = OF_OPTIONS } = options
  const client = await connectInTime(connect, deadline, cures)
  // What is still running when the time is over loses its client; the server sees that, and ends it and its lock.
  const cut = () => client.connection.stream.destroy()
  deadline.signal.addEventListener('abort', cut, { once: true })
  try {
    await refuseServer(client, cures)
    // What is told to be applied survives a crash.
    await client.query(RAISE_SESSION)
    await takeLock(client, deadline)
    return await runPending(client, { ...options, cures })
  } catch (error) {
    throw deadline.signal.aborted ? new DeadlineExceededError({ cause: error }) : error
  } finally {
    deadline.signal.removeEventListener('abort', cut)
    await client.end().catch(() => undefined)
  }
}

// Nothing has been sent before there is a connection: as long as it may pass by itself, it is tried again.
async function connectInTime(connect: () => Promise<pg.Client>, deadline: Deadline, cures: Cures): Promise<pg.Client> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await connect()
    } catch (error) {
      if (error instanceof UnsupportedServerError) throw error
      const verdict = classifyError(error)
      if (verdict.key === '08P01:startup-parameter') throw poolerRefused(cures)
      const maxReplays = verdict.transient ? (verdict.maxReplays ?? Number.POSITIVE_INFINITY) : 0
      if (!(await untilReplay(tries, { deadline, signal: deadline.signal, maxReplays, shorten: true }))) throw noConnectionError(error, verdict)
    }
  }
}

async function refuseServer(client: pg.Client, cures: Cures): Promise<void> {
  const { rows } = await client.query<{ pid: number; readOnly: string } & Announced>(`SELECT pg_backend_pid() AS pid,
    current_setting('transaction_read_only') AS "readOnly",
    current_setting('server_version') AS server_version, current_setting('server_encoding') AS server_encoding`)
  const [row] = rows
  // A pooler invents the process id it announces; the server behind it has another.
  if (row?.pid !== processIdOf(client)) throw poolerRefused(cures)
  refuseUnsupported(row)
  if (row.readOnly === 'on') throw new CodedError(`${READ_ONLY} Nothing was applied.`, { code: 'server-read-only', retryable: true })
}

function poolerRefused({ address }: Cures): CodedError {
  return new CodedError(`Migrations need a direct connection, not a pooler: ${address}.`, { code: 'pooler-refused' })
}

async function takeLock(client: pg.Client, deadline: Deadline): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY])
    if (rows[0]?.locked) return
    await wait(POLL_MS, deadline.signal)
  }
}

async function runPending(
  client: pg.Client,
  { migrations, schema, allowBreaking = false, cures }: ApplyOptions & { cures: Cures },
): Promise<MigrateResult> {
  const home = await findHomeSchema(client, schema)
  const table = await findMigrationsTable(client, home.name)
  const recorded = table.state === 'ours' ? await executedMigrations(client, home.name) : []
  const tableIsForeign = isForeign(table, { executed: recorded, known: migrations.map(({ name }) => name) })
  const executed = new Set(tableIsForeign ? [] : recorded)
  const [applied, pending] = [migrations.filter(({ name }) => executed.has(name)), migrations.filter(({ name }) => !executed.has(name))]
  const result = { applied: pending.map(({ name }) => name), alreadyApplied: executed.size }
  if (pending.length === 0 && table.state === 'ours' && !tableIsForeign) return result
  if (executed.size > 0 && !allowBreaking) refuseBreaking(pending)
  refuseClosedSchema(home)
  const cutOff = pending.filter(({ name }) => table.state === 'ours' && name === table.underWay)
  await refuseTakenNames(client, { schema: home.name, pending, applied: [...applied, ...cutOff], tableIsForeign, cures })
  if (table.state === 'missing' && schema === DEFAULT_SCHEMA) await refuseElsewhere(client, migrations, cures)
  // Nothing has been changed before this line.
  if (!home.exists) await client.query(`CREATE SCHEMA ${quoteName(home.name)}`)
  await prepareMigrationsTable(client, home.name, table)
  const place: Place = { schema: home.name, pinned: schema !== undefined, mayNote: table.state !== 'ours' || table.owned }
  for (const migration of pending) await runOne(client, migration, place).catch((error: unknown) => refuse(migration, error))
  return result
}

/**
 * Until the schema was a setting, tables were where the search path said. Left at its default, the setting must not make a
 * second, empty set of them.
 */
async function refuseElsewhere(client: pg.Client, migrations: readonly Migration[], cures: Cures): Promise<void> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT n.nspname::text AS schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass('${TABLE}')`,
  )
  const [found] = rows
  if (found === undefined || (await findMigrationsTable(client, found.schema)).state !== 'ours') return
  const executed = new Set(await executedMigrations(client, found.schema))
  if (!migrations.some(({ name }) => executed.has(name))) return
  const message = `These migrations were applied to the schema ${quoteName(found.schema)}, which the search path names, and not to ${DEFAULT_SCHEMA}. Nothing was changed. To use that schema, ${cures.schema}.`
  throw new CodedError(message, { code: 'migrations-elsewhere', details: { schema: found.schema } })
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

async function executedMigrations(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${nameOfTable(schema)} ORDER BY name`)
  return rows.map(({ name }) => name)
}

interface Place {
  readonly schema: string
  /** Whether the search path is the schema alone. */
  readonly pinned: boolean
  /** Whether the user may comment on the table of migrations. */
  readonly mayNote: boolean
}

async function runOne(client: pg.Client, migration: Migration, { schema, pinned, mayNote }: Place): Promise<void> {
  const context = {
    query: (text: string, values?: readonly unknown[]) => client.query(text, values ? [...values] : undefined),
    schema: quoteName(schema),
  }
  const digest = await digestOf(migration)
  const record = () => client.query(`INSERT INTO ${nameOfTable(schema)} (name, digest) VALUES ($1, $2)`, [migration.name, digest])
  // Each time: the migration before may have changed it. Temporary tables last, since they would come first unnamed.
  if (pinned) await client.query("SELECT pg_catalog.set_config('search_path', $1, false)", [`${quoteName(schema)}, pg_temp`])
  if (migration.transaction === false) {
    if (mayNote) await noteUnderWay(client, schema, migration.name)
    await migration.up(context)
    await record()
    if (mayNote) await noteUnderWay(client, schema)
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
