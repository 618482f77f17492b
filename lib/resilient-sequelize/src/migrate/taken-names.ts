import { CodedError } from '../../../invocation/src/errors.ts'
import { COLLECTED_SCHEMA, collectStatements } from './collect-statements.ts'
import { OF_OPTIONS, type Cures } from './cures.ts'
import type { CreatedName, NameKind } from './created-name.ts'
import { createdNames, nameChanges } from './created-names.ts'
import type { Migration } from './migration.ts'
import { TABLE, type Queryable } from './migrations-table.ts'

export interface NamesOptions {
  readonly schema: string
  readonly pending: readonly Migration[]
  /** Those that were applied, and one that was cut off: what they created is ours. */
  readonly applied: readonly Migration[]
  /** Whether `schema_migrations` is another tool's. */
  readonly tableIsForeign: boolean
  /** By default those of `migrate`. */
  readonly cures?: Cures
}

/** An object that has a name which a migration is going to take. */
interface Found {
  readonly kind: NameKind
  readonly schema: string | null
  readonly name: string
  /** The table that an index or a constraint is of. */
  readonly table: string | null
  readonly extension: string | null
}

// Of the names in a message; `details` has all of them.
const MOST_LISTED = 50

// A row type has its table's name, and an array type gives way by itself. A table and a type exclude each other.
const FOUND = `
  WITH wanted AS (SELECT * FROM pg_catalog.json_to_recordset($1) AS w(class text, schema text, name text))
  SELECT found.kind, found.schema::text, found.name::text, found.table::text, e.extname::text AS extension
  FROM (
    SELECT 'relation' AS class, CASE c.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'view' WHEN 'c' THEN 'type' ELSE 'table' END AS kind, n.nspname AS schema, c.relname AS name, t.relname AS table, c.tableoid AS catalog, c.oid
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    UNION ALL
    SELECT 'type', 'type', n.nspname, y.typname, NULL, y.tableoid, y.oid
      FROM pg_catalog.pg_type y JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
      WHERE y.typrelid = 0 AND NOT (y.typelem <> 0 AND y.typlen = -1)
    UNION ALL
    SELECT 'function', 'function', n.nspname, p.proname, NULL, p.tableoid, p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    UNION ALL
    SELECT 'constraint', 'constraint', n.nspname, k.conname, t.relname, k.tableoid, k.oid
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
    UNION ALL SELECT 'schema', 'schema', NULL, nspname, NULL, tableoid, oid FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'extension', 'extension', NULL, extname, NULL, tableoid, oid FROM pg_catalog.pg_extension
    UNION ALL SELECT 'role', 'role', NULL, rolname, NULL, NULL::oid, oid FROM pg_catalog.pg_roles
  ) AS found
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = found.catalog AND d.objid = found.oid AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE EXISTS (SELECT FROM wanted w WHERE w.class = found.class AND w.schema IS NOT DISTINCT FROM found.schema::text AND w.name = found.name::text)
  ORDER BY 1, 2, 3`

/**
 * Makes sure that nothing is there already under a name that a pending migration takes, unless we created it.
 * @throws CodedError `names-taken` with all of those names.
 */
export async function refuseTakenNames(client: Queryable, options: NamesOptions): Promise<void> {
  const { schema, tableIsForeign } = options
  const created = await namesOf(options.pending, schema)
  const own = await ownNamesOf(options.applied, schema)
  const ownNames = new Set(own.map(keyOf))
  // An index or a constraint belongs to whom its table belongs to.
  const ownTables = new Set(own.flatMap(one => (one.kind === 'table' ? [`${one.schema}.${one.name}`] : [])))
  const adopted = new Set(options.pending.flatMap(({ adopts = [] }) => adopts.map(name => `${schema}.${name}`)))
  const isAdopted = (in_: string | null, table: string | null | undefined) => adopted.has(`${in_}.${table}`)
  const wanted = created
    .filter(one => !ownNames.has(keyOf(one)) && !(one.kind === 'sequence' && isAdopted(one.schema, one.table)))
    .flatMap(one => classesOf(one.kind).map(kind => ({ class: kind, schema: one.schema, name: one.name })))
  const { rows } = wanted.length === 0 ? { rows: [] } : await client.query<Found>(FOUND, [JSON.stringify(wanted)])
  const taken = rows
    .filter(({ schema: in_, table }) => table === null || !(ownTables.has(`${in_}.${table}`) || isAdopted(in_, table)))
    .filter(({ kind, schema: in_, name }) => kind !== 'table' || !isAdopted(in_, name))
    .map(describe)
  if (tableIsForeign) taken.unshift(`table ${schema}.${TABLE}`)
  const names = [...new Set(taken)]
  if (names.length > 0) throw namesTaken(names, options.cures)
}

/** The error for names that belong to others. */
export function namesTaken(names: readonly string[], { schema }: Pick<Cures, 'schema'> = OF_OPTIONS): CodedError {
  const isGlobal = (name: string) => /^(schema|extension|role) /.test(name)
  const cures = [
    ...(names.every(isGlobal)
      ? []
      : [
          `Rename them, or keep the tables of the migrations in a schema of their own: ${schema}. A migration takes over a table that it lists in \`adopts\`.`,
        ]),
    ...(names.some(isGlobal)
      ? ['Schemas, extensions and roles: choose another name in the migration, or write IF NOT EXISTS to share a schema or an extension.']
      : []),
  ]
  const message = `No migration of this project created these, but their names are needed: ${listed(names)}. Nothing was changed. ${cures.join(' ')}`
  return new CodedError(message, { code: 'names-taken', details: { names } })
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED
  return [...names.slice(0, MOST_LISTED), ...(more > 0 ? [`${more} more`] : [])].join('; ')
}

type Name = Omit<CreatedName, 'schema'> & { readonly schema: string | null }

async function namesOf(migrations: readonly Migration[], home: string): Promise<Name[]> {
  const collected = await Promise.all(migrations.map(collectStatements))
  return collected.flatMap(({ statements }) =>
    statements.flatMap(({ text }) => createdNames(text).map(one => ({ ...one, schema: schemaOf(one, home) }))),
  )
}

/** What these migrations have created and neither dropped nor renamed since: a name that they gave up may be another's now. */
async function ownNamesOf(migrations: readonly Migration[], home: string): Promise<Name[]> {
  const own = new Map<string, Name>()
  const collected = await Promise.all(migrations.map(collectStatements))
  const changes = collected.flatMap(({ statements }) => statements.flatMap(({ text }) => nameChanges(text)))
  const placed = (one: CreatedName): Name => ({ ...one, schema: schemaOf(one, home) })
  for (const { freed, taken } of changes) {
    for (const one of freed.map(placed)) own.delete(keyOf(one))
    for (const one of taken.map(placed)) own.set(keyOf(one), one)
  }
  return [...own.values()]
}

function schemaOf({ kind, schema }: CreatedName, home: string): string | null {
  if (kind === 'schema' || kind === 'extension' || kind === 'role') return null
  return schema === undefined || schema === COLLECTED_SCHEMA ? home : schema
}

/** Where a name of this kind must be free. */
function classesOf(kind: NameKind): string[] {
  switch (kind) {
    case 'table':
    case 'view':
      return ['relation', 'type']
    case 'type':
      return ['type', 'relation']
    case 'sequence':
    case 'index':
      return ['relation']
    case 'function':
    case 'constraint':
    case 'schema':
    case 'extension':
    case 'role':
      return [kind]
    default:
      return kind satisfies never
  }
}

function keyOf({ kind, schema, name }: Name): string {
  return JSON.stringify([classesOf(kind)[0] === 'type' ? 'relation' : classesOf(kind)[0], schema, name])
}

// As ASCII: others chose these names, and a terminal obeys some characters.
function shown(name: string): string {
  if (/^\w+$/.test(name)) return name
  return JSON.stringify(name).replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function describe({ kind, schema, name, table, extension }: Found): string {
  return [
    `${kind} ${schema === null ? shown(name) : `${shown(schema)}.${shown(name)}`}`,
    ...(table === null ? [] : [`of table ${shown(table)}`]),
    ...(extension === null || kind === 'extension' ? [] : [`of extension ${shown(extension)}`]),
  ].join(' ')
}
