import pg from 'pg'

/** How to reach the server itself, whatever the database. */
export interface ServerAddress {
  host: string
  port: number
  user: string
  password: string
}

const DUPLICATE_DATABASE = '42P04'
const UNIQUE_VIOLATION = '23505'
const LONGEST_CONNECT_MS = 10_000

/** A connection URL for one database of the server. */
export function databaseUrl({ host, port, user, password }: ServerAddress, database: string): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`
}

/** Opens one connection, does the work and closes it again. */
export async function withConnection<T>(server: ServerAddress, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...server, database, connectionTimeoutMillis: LONGEST_CONNECT_MS })
  // A server that stops ends open connections; without a listener that would end this process.
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Creates a database unless it exists, as a copy of `template` if one is named. */
export async function createDatabase(server: ServerAddress, name: string, template?: string): Promise<void> {
  await withConnection(server, 'postgres', async client => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (found.rowCount) return
    const from = template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(template)}`
    try {
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}${from}`)
    } catch (error) {
      // Someone else created it at the same moment: the unique index of the catalogue reports it when the check does not.
      if (![DUPLICATE_DATABASE, UNIQUE_VIOLATION].includes((error as { code?: string }).code ?? '')) throw error
    }
  })
}
