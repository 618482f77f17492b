import type { QueryResultRow } from 'pg'

/** What is asked of a connection here. */
export interface Queryable {
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>
}

/** The record of the applied migrations, as it is in the database. */
export type MigrationsTable =
  | { readonly state: 'missing' }
  /** Another tool's table, or something else of that name. */
  | { readonly state: 'foreign' }
  | {
      readonly state: 'ours'
      readonly hasDigest: boolean
      /** Whether it has our comment. Without it, what is in it tells: see `isForeign`. */
      readonly marked: boolean
      /** The migration without a transaction that was begun and has not ended, if there is one. */
      readonly underWay: string | undefined
      /** Whether this user may comment on it: only its owner may. */
      readonly owned: boolean
    }

export const TABLE = 'schema_migrations'
const MARK = 'The migrations that resilient-sequelize applied to this schema.'
const UNDER_WAY = `${MARK} Under way: `

// A table that an earlier version made has no comment: its columns tell.
// As one message without values, which the oldest servers and all poolers take.
const lookAt = (schema: string) => `
  SELECT pg_catalog.obj_description(c.oid, 'pg_class') AS comment, c.relkind = 'r' AS plain, pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
    ARRAY(SELECT pg_catalog.concat_ws(' ', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
          pg_catalog.pg_get_expr(d.adbin, d.adrelid))
      FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${quoteLiteral(schema)} AND c.relname = '${TABLE}'`
const REQUIRED = ['name text not null', 'applied_at timestamp with time zone not null now()']
const DIGEST = 'digest text'

/**
 * Finds out whose `schema_migrations` is in the schema. Ours has our comment, or exactly the columns that this package has
 * ever made. Changes nothing.
 */
export async function findMigrationsTable(client: Queryable, schema: string): Promise<MigrationsTable> {
  const { rows } = await client.query<{ comment: string | null; plain: boolean; owned: boolean; columns: string[] }>(lookAt(schema))
  const [row] = rows
  if (row === undefined) return { state: 'missing' }
  const { comment, plain, owned, columns } = row
  const hasRequired = plain && REQUIRED.every(column => columns.includes(column))
  const hasDigest = columns.includes(DIGEST)
  const marked = comment !== null && comment.startsWith(MARK)
  if (!hasRequired || !(marked || columns.length === REQUIRED.length + (hasDigest ? 1 : 0))) return { state: 'foreign' }
  return { state: 'ours', hasDigest, marked, owned, underWay: comment?.startsWith(UNDER_WAY) ? comment.slice(UNDER_WAY.length) : undefined }
}

/**
 * Whether the table is another tool's after all: one with our columns by chance has rows, and none is of a migration that
 * is known here. An empty one is what an earlier version left that was cut off.
 */
export function isForeign(table: MigrationsTable, { executed, known }: { executed: readonly string[]; known: readonly string[] }): boolean {
  if (table.state !== 'ours') return table.state === 'foreign'
  return !table.marked && executed.length > 0 && !executed.some(name => known.includes(name))
}

/** Creates the table, or adds the column that an earlier version made it without. */
export async function prepareMigrationsTable(client: Queryable, schema: string, found: MigrationsTable): Promise<void> {
  const table = nameOfTable(schema)
  if (found.state === 'missing') {
    await client.query(
      `CREATE TABLE ${table} (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT pg_catalog.now(), digest text);
       COMMENT ON TABLE ${table} IS ${quoteLiteral(MARK)}`,
    )
  } else if (found.state === 'ours' && !found.hasDigest) {
    await client.query(`ALTER TABLE ${table} ADD COLUMN digest text`)
  }
}

/**
 * Notes the migration that runs outside of a transaction now, so that what it leaves behind when it is cut off is known to
 * be ours; without a name takes the note away.
 */
export function noteUnderWay(client: Queryable, schema: string, name?: string): Promise<unknown> {
  return client.query(`COMMENT ON TABLE ${nameOfTable(schema)} IS ${quoteLiteral(name === undefined ? MARK : `${UNDER_WAY}${name}`)}`)
}

export function nameOfTable(schema: string): string {
  return `${quoteName(schema)}.${TABLE}`
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

// An E string, so that a backslash means the same whatever standard_conforming_strings is.
function quoteLiteral(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
