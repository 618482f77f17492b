import type { TestDatabase } from './database.ts'

// Every system table that says what the database has; `xmin` changes with each change of a row. Left out are columns that
// vacuum and the planner write.
const TABLES = [
  'pg_namespace',
  'pg_class',
  'pg_attribute',
  'pg_attrdef',
  'pg_type',
  'pg_enum',
  'pg_proc',
  'pg_constraint',
  'pg_index',
  'pg_sequence',
  'pg_trigger',
  'pg_rewrite',
  'pg_description',
  'pg_depend',
  'pg_extension',
  'pg_roles',
]
const VOLATILE = "'{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,relhasindex,rolconfig}'::text[]"

/** Everything that the catalogue says: one line for each row of each system table. */
export async function dumpCatalog(database: TestDatabase): Promise<string[]> {
  const parts = TABLES.map(table => {
    const version = table === 'pg_roles' ? "''" : 't.xmin::text'
    return `SELECT '${table} ' || ${version} || ' ' || (to_jsonb(t) - ${VOLATILE})::text AS line FROM pg_catalog.${table} t`
  })
  return (await database.query<{ line: string }>(`${parts.join(' UNION ALL ')} ORDER BY 1`)).map(({ line }) => line)
}

/** Every row of every table in a schema, with the transaction that wrote it. */
export async function dumpRows(database: TestDatabase, schema: string): Promise<string[]> {
  const tables = await database.query<{ name: string }>(
    "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1",
    [schema],
  )
  const rows: string[] = []
  for (const { name } of tables) {
    const found = await database.query<{ line: string }>(
      `SELECT '${name.replaceAll("'", "''")} ' || t.xmin::text || ' ' || to_jsonb(t)::text AS line FROM ${name} t ORDER BY 1`,
    )
    rows.push(...found.map(({ line }) => line))
  }
  return rows
}
