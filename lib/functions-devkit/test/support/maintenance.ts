import { application } from '../../src/application.ts'
import { databaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { defineRetention, retentionSettings } from '../../../functions-ops/src/settings/retention.ts'
import { prepareDatabase, type Database } from '../../../functions-runtime/src/database/connect.ts'
import { packageTables } from '../../../functions-ops/src/maintenance/package-tables.ts'
import { maintain, type MaintenanceOptions, type MaintenanceReport } from '../../../functions-ops/src/maintenance/maintenance.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { environmentFor } from './functions.ts'

const retention = retentionSettings.parse({
  WEBHOOK_RETENTION_DAYS: '30',
  WEBHOOK_REDELIVERY_DAYS: '30',
  HEALTH_RETENTION_DAYS: '14',
}).value
const own = defineRetention(application.prunedTables).parse({}).value
if (retention === undefined || own === undefined) throw new Error('the settings of the test are wrong')
/** The tables as they are pruned when payloads are kept for 30 days, ids for 60, activities for 90, and what was checked and counted for 14. */
export const tables = [...packageTables(retention), ...own]

/** As without a key for payloads and without an outage buffer. */
export const plainInbox: Pick<MaintenanceOptions, 'keys' | 'buffer' | 'sources' | 'erasers'> = {
  keys: { current: undefined, byId: new Map() },
  buffer: undefined,
  sources: application.describedSources,
  erasers: application.erasers,
}

/** Several containers of `ops/maintenance` on one database. */
export interface Maintenance {
  readonly database: TestDatabase
  readonly containers: readonly Database[]
  /** What they have logged. */
  readonly lines: Record<string, unknown>[]
  /** Runs maintenance in one of the containers. */
  run(
    options?: Partial<Omit<MaintenanceOptions, 'deadline' | 'database' | 'logger'>> & { container?: number; timeMs?: number },
  ): Promise<MaintenanceReport>
}

/** Runs a test with containers of `ops/maintenance`; dropping the database afterwards proves that they left no session. */
export async function withMaintenance(work: (subject: Maintenance) => Promise<void>, { containers: count = 1 } = {}): Promise<void> {
  await withDatabase(async database => {
    const settings = databaseSettings.parse(environmentFor(database)).value
    if (!settings) throw new Error('the settings of the test are wrong')
    const lines: Record<string, unknown>[] = []
    const write = (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>)
    const logger = createLogger({ name: 'test', level: 'info', destination: { write } })
    const containers = Array.from({ length: count }, () => prepareDatabase(settings, { name: 'ops/maintenance', logger, timeLimitMs: 60_000 }))
    const run: Maintenance['run'] = async ({ container = 0, timeMs = 20_000, ...options } = {}) => {
      const deadline = openDeadline({ remainingMs: timeMs, reserveMs: 0 })
      const { service } = containers[container] ?? failed(`there is no container ${container}`)
      return maintain({ ...plainInbox, tables, ...options, database: service, deadline, logger }).finally(() => deadline.clear())
    }
    try {
      await work({ database, containers, lines, run })
    } finally {
      await Promise.all(containers.map(({ manager }) => manager.gracefulShutdown()))
    }
  })
}

/** Stores events that were received long ago; `processed` is how long ago each was processed, null that it was not. */
export async function storeEvents(database: TestDatabase, count: number, processed: string | null): Promise<void> {
  await database.query(
    `INSERT INTO webhook_events (id, source, external_id, type, received_at, processed_at, outcome)
     SELECT gen_random_uuid(), 'demo', gen_random_uuid()::text, 't', now() - interval '400 days', now() - $2::interval,
       CASE WHEN $2 IS NULL THEN NULL ELSE 'applied' END
     FROM generate_series(1, $1::int)`,
    [count, processed],
  )
}

/** Stores activities of five users, who are made if they are not there yet. */
export async function storeActivities(database: TestDatabase, count: number, created: string): Promise<void> {
  await database.query(
    `INSERT INTO users (id, email, name, created_at, updated_at)
     SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, n || '@example.com', 'n', now(), now() FROM generate_series(1, 5) n
     ON CONFLICT DO NOTHING`,
  )
  await database.query(
    `INSERT INTO activities (id, user_id, kind, created_at)
     SELECT gen_random_uuid(), ('00000000-0000-7000-8000-00000000000' || (1 + n % 5))::uuid, 'k', now() - $2::interval FROM generate_series(1, $1::int) n`,
    [count, created],
  )
}

/** Stores scheduled checks. */
export async function storeChecks(database: TestDatabase, count: number, checked: string): Promise<void> {
  await database.query(
    "INSERT INTO health_checks (checked_at, status, checks, counted) SELECT now() - $2::interval, 'pass', '[]', '{}' FROM generate_series(1, $1::int)",
    [count, checked],
  )
}

/** Stores counters, each with a label of its own. */
export async function storeCounters(database: TestDatabase, count: number, age: string): Promise<void> {
  await database.query(
    `INSERT INTO operation_counters (minute, function, name, label, outcome, count)
     SELECT now() - $2::interval, 'test', 'operations', gen_random_uuid()::text, 'ok', 1 FROM generate_series(1, $1::int)`,
    [count, age],
  )
}

/** Stores users who were erased; `mark` is what their external ids begin with. */
export async function storeErasedUsers(database: TestDatabase, count: number, { age, mark }: { age: string; mark: string }): Promise<void> {
  await database.query(
    `INSERT INTO users (id, external_id, erased_at, created_at, updated_at)
     SELECT gen_random_uuid(), $3 || gen_random_uuid(), now() - $2::interval, now(), now() FROM generate_series(1, $1::int)`,
    [count, age, mark],
  )
}

/** How many rows a table holds. */
export async function countRows(database: TestDatabase, table: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
  return row?.count ?? failed(`${table} was not counted`)
}

/** Has every row of a table take so long to delete. */
export async function slowDown(database: TestDatabase, table: string, seconds: number): Promise<void> {
  await onDelete(database, table, `PERFORM pg_sleep(${seconds}); RETURN OLD;`)
}

/** Has the database refuse to delete from a table. */
export async function refuseDeletes(database: TestDatabase, table: string): Promise<void> {
  await onDelete(database, table, `RAISE EXCEPTION 'not from here';`)
}

async function onDelete(database: TestDatabase, table: string, body: string): Promise<void> {
  await database.query(`CREATE FUNCTION ${table}_deleted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ${body.replaceAll("'", "''")} END'`)
  await database.query(`CREATE TRIGGER deleted BEFORE DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_deleted()`)
}

function failed(message: string): never {
  throw new Error(message)
}
