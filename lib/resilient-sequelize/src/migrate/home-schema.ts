import { CodedError } from '../../../invocation/src/errors.ts'
import { quoteName, type Queryable } from './migrations-table.ts'

/** The schema that migrations work in. */
export interface HomeSchema {
  readonly name: string
  readonly exists: boolean
  /** Whether the user may create objects in it, or the schema itself when it does not exist. */
  readonly mayCreate: boolean
  readonly user: string
}

const LOOK = `
  SELECT home.name, n.oid IS NOT NULL AS exists, current_user::text AS user,
    coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
      pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')) AS "mayCreate"
  FROM (SELECT coalesce($1, pg_catalog.current_schema()::text)) AS home(name) LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = home.name`

/**
 * Looks at the schema; without a name, at the one in which the search path creates objects.
 * @throws CodedError `schema-missing` when the search path has none.
 */
export async function findHomeSchema(client: Queryable, name: string | undefined): Promise<HomeSchema> {
  const { rows } = await client.query<Omit<HomeSchema, 'name'> & { name: string | null }>(LOOK, [name ?? null])
  const [row] = rows
  if (row === undefined || row.name === null) {
    throw new CodedError('The search path of this user names no schema that exists: name one with `schema`.', { code: 'schema-missing' })
  }
  return { ...row, name: row.name }
}

/** @throws CodedError `schema-missing` or `schema-closed`, with the statement that an administrator has to run. */
export function refuseClosedSchema({ name, exists, mayCreate, user }: HomeSchema): void {
  if (mayCreate) return
  const [schema, role] = [quoteName(name), quoteName(user)]
  if (exists) {
    const cure = `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}`
    throw new CodedError(`The user ${role} may not create objects in the schema ${schema}. An administrator has to run: ${cure}`, {
      code: 'schema-closed',
    })
  }
  const cure = `CREATE SCHEMA ${schema} AUTHORIZATION ${role}`
  throw new CodedError(`The schema ${schema} does not exist, and the user ${role} may not create it. An administrator has to run: ${cure}`, {
    code: 'schema-missing',
  })
}
