import type pg from 'pg'

/** Something in the database that has an identity of its own, whatever it is called. */
interface Thing {
  readonly id: string
  readonly kind: string
  readonly name: string
}

interface Column extends Thing {
  readonly relation: string
  readonly type: string
  readonly required: boolean
  readonly filled: boolean
}

interface Index extends Thing {
  readonly relation: string
  readonly table: string
  readonly unique: boolean
}

/** What a database consists of, as far as code that uses it can tell. */
export interface Catalog {
  readonly things: readonly Thing[]
  readonly columns: readonly Column[]
  readonly indexes: readonly Index[]
}

// Our own record of what was applied is no part of the schema; neither is what belongs to a column or to PostgreSQL.
const OURS = `n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`
const RELATIONS = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND ${OURS} AND c.relname <> 'schema_migrations'`

const THINGS = `
  SELECT 'schema ' || n.oid AS id, 'schema' AS kind, n.nspname::text AS name FROM pg_namespace n WHERE ${OURS}
  UNION ALL
  SELECT 'relation ' || c.oid, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname || '.' || c.relname
    FROM ${RELATIONS}
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      OR c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
  UNION ALL
  SELECT 'function ' || p.oid, 'function', n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND ${OURS}
  UNION ALL
  SELECT 'type ' || t.oid, 'type', n.nspname || '.' || t.typname
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND ${OURS} WHERE t.typtype IN ('e', 'd')
  UNION ALL
  SELECT 'value ' || e.oid, 'value', n.nspname || '.' || t.typname || ': ' || e.enumlabel
    FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace AND ${OURS}`

const COLUMNS = `
  SELECT 'column ' || c.oid || ' ' || a.attnum AS id, 'column' AS kind, a.attname::text AS name, 'relation ' || c.oid AS relation,
      format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AND c.relkind IN ('r', 'p') AS required,
      a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' AS filled
    FROM ${RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')`

const INDEXES = `
  SELECT 'index ' || c.oid AS id, 'index' AS kind, n.nspname || '.' || c.relname AS name, 'relation ' || i.indrelid AS relation,
      i.indrelid::regclass::text AS table, i.indisunique AS unique
    FROM ${RELATIONS} JOIN pg_index i ON i.indexrelid = c.oid`

/** Reads what the database consists of now. */
export async function readCatalog(client: Pick<pg.Client, 'query'>): Promise<Catalog> {
  const { rows: things } = await client.query<Thing>(THINGS)
  const { rows: columns } = await client.query<Column>(COLUMNS)
  return { things, columns, indexes: await readIndexes(client) }
}

/** Its indexes alone. */
export async function readIndexes(client: Pick<pg.Client, 'query'>): Promise<Index[]> {
  return (await client.query<Index>(INDEXES)).rows
}

/**
 * What code that worked on `before` may no longer find, or have to give, in `after`: in words, one for each. Told by
 * identity, so that something made anew under an old name counts as dropped, and its data with it.
 */
export function breakingChanges(before: Catalog, after: Catalog): string[] {
  const things = new Map(after.things.map(thing => [thing.id, thing]))
  const columns = new Map(after.columns.map(column => [column.id, column]))
  const former = new Map(before.columns.map(column => [column.id, column]))
  const tables = new Map(before.things.map(({ id, name }) => [id, name]))
  const indexes = new Set(after.indexes.map(({ id }) => id))
  return [
    ...before.things.flatMap(({ id, kind, name }) => {
      const now = things.get(id)
      return now === undefined ? [`drops the ${kind} ${name}`] : now.name === name ? [] : [`renames the ${kind} ${name} to ${now.name}`]
    }),
    ...before.columns
      // Whoever drops the table has been told so.
      .filter(({ relation }) => things.has(relation))
      .flatMap(column => {
        const name = `${tables.get(column.relation)}.${column.name}`
        const now = columns.get(column.id)
        if (now === undefined) return [`drops the column ${name}`]
        return [
          ...(now.name === column.name ? [] : [`renames the column ${name} to ${now.name}`]),
          ...(now.type === column.type ? [] : [`changes the type of ${name} from ${column.type} to ${now.type}`]),
        ]
      }),
    ...after.columns
      .filter(({ id, relation, required, filled }) => {
        const was = former.get(id)
        return tables.has(relation) && required && !filled && (was === undefined || !was.required || was.filled)
      })
      .map(({ relation, name }) => `asks every insert for ${tables.get(relation)}.${name}: it is NOT NULL without a default`),
    // ON CONFLICT needs it; an index that only serves speed is nobody's contract.
    ...before.indexes
      .filter(({ id, relation, unique }) => unique && things.has(relation) && !indexes.has(id))
      .map(({ name }) => `drops the unique index ${name}`),
  ]
}
