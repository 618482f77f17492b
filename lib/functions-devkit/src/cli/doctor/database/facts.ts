import type pg from 'pg'

/** What a server says of itself and of the user who asks. */
export interface Facts {
  /** As `server_version_num`: 180004 for 18.4. */
  readonly version: number
  readonly maxConnections: number
  readonly reserved: number
  readonly sessions: number
  readonly superuser: boolean
  readonly standby: boolean
  /** Whether transactions of this user on this database are read only unless they say otherwise. */
  readonly readOnly: boolean
  readonly encoding: string
  /** As the user's sessions have it. */
  readonly synchronousCommit: string
  readonly fsync: boolean
  readonly fullPageWrites: boolean
  /** Of DB_SCHEMA; `null` when the user may not use it, or it does not exist. */
  readonly schema: string | null
  readonly schemaExists: boolean
  /** Whether the user may create tables in it, or the schema itself when it does not exist. */
  readonly mayCreate: boolean
  /** Tables that the user may not read and write. */
  readonly closedTables: readonly string[]
  /** How far the server's clock is ahead, in ms. */
  readonly aheadMs: number
  /** Median of a few, in ms. */
  readonly tripMs: number
}

// As one message without values, which the oldest servers and all poolers take.
const factsOf = (schema: string) => `SELECT current_setting('server_version_num')::int AS version,
    current_setting('max_connections')::int AS "maxConnections",
    current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
    (SELECT count(*)::int FROM pg_stat_activity WHERE datname IS NOT NULL) AS sessions,
    current_setting('is_superuser') = 'on' AS superuser,
    pg_is_in_recovery() AS standby,
    current_setting('default_transaction_read_only') = 'on' AS "readOnly",
    current_setting('server_encoding') AS encoding,
    current_setting('synchronous_commit') AS "synchronousCommit",
    current_setting('fsync') = 'on' AS fsync,
    current_setting('full_page_writes') = 'on' AS "fullPageWrites",
    (SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname = ${schema} AND has_schema_privilege(oid, 'USAGE')) AS schema,
    coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = ${schema}),
      has_database_privilege(current_database(), 'CREATE')) AS "mayCreate",
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${schema}) AS "schemaExists",
    (SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{}') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname = ${schema} AND c.relname <> 'schema_migrations'
        AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
          AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))) AS "closedTables"`
const TRIPS = 5

/** Asks a server for all of it. */
export async function readFacts(client: pg.Client, { schema, now }: { schema: string; now: () => number }): Promise<Facts> {
  const { rows } = await client.query<Omit<Facts, 'aheadMs' | 'tripMs'>>(factsOf(client.escapeLiteral(schema)))
  const [row] = rows
  if (row === undefined) throw new Error('the server says nothing')
  const trips: { ms: number; aheadMs: number }[] = []
  for (let trip = 0; trip < TRIPS; trip += 1) {
    const [startedAt, began] = [now(), performance.now()]
    const { rows: clocks } = await client.query<{ at: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS at')
    const ms = performance.now() - began
    trips.push({ ms, aheadMs: Number(clocks[0]?.at) - (startedAt + ms / 2) })
  }
  // The quickest trip leaves the least doubt about when the server looked at its clock.
  const sorted = trips.toSorted((one, other) => one.ms - other.ms)
  return { ...row, aheadMs: sorted[0]?.aheadMs ?? 0, tripMs: sorted[Math.floor(TRIPS / 2)]?.ms ?? 0 }
}
