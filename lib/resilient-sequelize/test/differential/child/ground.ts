import pg from 'pg'
import type { Address } from '../case.ts'

/** The name of the connections that are not under test. */
export const PLAIN = 'plain'
const LONGEST_LEAK_LOOK_MS = 3_000
const LOOK_AGAIN_MS = 15

// Extensions lie in a schema of their own, as on managed servers, so that `public` can be dropped between cases.
const RESET = `
DO $reset$
DECLARE one record;
BEGIN
  PERFORM pg_terminate_backend(pid, 2000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> '${PLAIN}';
  FOR one IN SELECT nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'extensions')
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', one.nspname); END LOOP;
  CREATE SCHEMA public;
  CREATE SCHEMA IF NOT EXISTS extensions;
  CREATE EXTENSION IF NOT EXISTS citext SCHEMA extensions;
  CREATE EXTENSION IF NOT EXISTS hstore SCHEMA extensions;
  CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA extensions;
END $reset$`

const PREPARE = `
DO $prepare$
BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, extensions', current_database()); END
$prepare$; SET search_path = public, extensions; SET client_min_messages TO error; SET TimeZone TO 'UTC'`

const STRUCTURE = `
WITH own AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'extensions')
)
SELECT 'schema ' || nspname AS line FROM own
UNION ALL
SELECT format('%s %s.%s', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE c.relkind::text END, nspname, relname)
  FROM pg_class c JOIN own ON own.oid = relnamespace WHERE relkind IN ('r', 'v', 'S', 'm', 'p')
UNION ALL
SELECT format('column %s.%s.%s %s%s%s', nspname, relname, attname, format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN ' not null' ELSE '' END, ' default ' || pg_get_expr(adbin, adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN own ON own.oid = relnamespace LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
  WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT format('constraint %s.%s %s', nspname, conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k JOIN own ON own.oid = connamespace
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes JOIN own ON nspname = schemaname
UNION ALL
SELECT format('enum %s.%s %s', nspname, typname, (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
  FROM pg_type t JOIN own ON own.oid = typnamespace WHERE typtype = 'e'
UNION ALL
SELECT format('function %s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) FROM pg_proc p JOIN own ON own.oid = pronamespace
UNION ALL
SELECT format('trigger %s on %s.%s', tgname, nspname, relname) FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid JOIN own ON own.oid = relnamespace
  WHERE NOT tgisinternal
UNION ALL
SELECT format('sequence %I.%I stands at %s', schemaname, sequencename, last_value) FROM pg_sequences JOIN own ON nspname = schemaname
ORDER BY 1`

const TABLES = `
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
  WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname NOT IN ('information_schema', 'extensions') ORDER BY 1`

const SESSIONS =
  'SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND application_name <> $1 AND backend_type = $2'

/** The database of one subject, seen past it. */
export interface Ground {
  /** Empties the database. */
  reset(): Promise<void>
  query(text: string, values?: unknown[]): Promise<pg.QueryResultRow[]>
  /** A client of its own; `reset` leaves it alone. */
  open(): Promise<pg.Client>
  /** Lines that tell everything in the database, rows and structure. */
  contents(): Promise<{ rows: string[]; structure: string[] }>
  /** How many sessions of others are open; waits a while for those that are ending. */
  openSessions(): Promise<number>
  end(): Promise<void>
}

/** Connects with plain pg to the database, past any pooler. */
export async function openGround(address: Address): Promise<Ground> {
  const open = async () => {
    const client = new pg.Client({ ...address, application_name: PLAIN })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  const client = await open()
  await client.query(PREPARE)
  const query = async (text: string, values?: unknown[]) => (await client.query<pg.QueryResultRow>(text, values)).rows
  return {
    open,
    query,
    async reset() {
      await query(RESET)
    },
    async contents() {
      const structure = (await query(STRUCTURE)).map(({ line }) => String(line))
      const rows: string[] = []
      for (const { name } of await query(TABLES)) {
        const found = await query(`SELECT row_to_json(t)::text AS line FROM ${String(name)} t ORDER BY 1`)
        rows.push(...found.map(({ line }) => `${String(name)} ${String(line)}`))
      }
      return { rows, structure }
    },
    async openSessions() {
      const until = performance.now() + LONGEST_LEAK_LOOK_MS
      for (;;) {
        const [row] = await query(SESSIONS, [PLAIN, 'client backend'])
        const count = Number(row?.open)
        if (count === 0 || performance.now() > until) return count
        await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN_MS))
      }
    },
    end: () => client.end(),
  }
}
