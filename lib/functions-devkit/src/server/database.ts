import pg from 'pg'
import { type LocalPostgres } from './postgres/local-postgres.ts'

/** The database user and the database of the functions. */
const NAME = 'functions'

export interface FunctionsDatabaseOptions {
  readonly postgres: Pick<LocalPostgres, 'host' | 'port' | 'url'>
  /** Of the functions' user. */
  readonly password: string
}

/**
 * Makes the functions' database and the user that owns it, and returns the URL they connect with. The user is no
 * superuser, as on the managed database: what only a superuser may do fails here too.
 */
export async function prepareDatabase({ postgres, password }: FunctionsDatabaseOptions): Promise<string> {
  const client = new pg.Client({ connectionString: postgres.url('postgres') })
  await client.connect()
  try {
    const user = pg.escapeIdentifier(NAME)
    const { rows } = await client.query<{ user: boolean; database: boolean }>(
      'SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS user, EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database',
      [NAME],
    )
    if (rows[0]?.user !== true) await client.query(`CREATE ROLE ${user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`)
    // Each time: a start that was cut off may have kept another password than the one it made the user with.
    await client.query(`ALTER ROLE ${user} PASSWORD ${pg.escapeLiteral(password)}`)
    if (rows[0]?.database !== true) await client.query(`CREATE DATABASE ${user} OWNER ${user}`)
  } finally {
    await client.end()
  }
  return functionsDatabaseUrl({ ...postgres, password })
}

/** The URL that the functions connect with. */
export function functionsDatabaseUrl({ host, port, password }: { readonly host: string; readonly port: number; readonly password: string }): string {
  return `postgres://${NAME}:${encodeURIComponent(password)}@${host}:${port}/${NAME}`
}
