import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { createDatabase, databaseUrl, withConnection } from '../../lib/server/postgres/connection.ts'
import { EMPTY_TEMPLATE, MIGRATED_TEMPLATE } from './templates.ts'

/** A database that belongs to one test. */
export interface TestDatabase {
  name: string
  /** Without TLS settings: those are in `connectionSettings.authority`. */
  url: string
  connectionSettings: { host: string; port: number; user: string; password: string; database: string; authority: string }
  /** Runs a statement over a connection of its own, which `drop` closes. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Removes the database. Throws, naming the sessions, when some are still open in it: the code under test leaks. */
  drop(): Promise<void>
}

const OBJECT_IN_USE = '55006'
/** The name of the connection behind `query`, to tell it from the ones under test. */
const APPLICATION_NAME = 'test'

/** Creates a database with every migration applied, or with no table at all. */
export async function createTestDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { authority, ...server } = inject('postgres')
  const name = `test_${randomBytes(6).toString('hex')}`
  await createDatabase(server, name, empty ? EMPTY_TEMPLATE : MIGRATED_TEMPLATE)

  let client: Promise<pg.Client> | undefined
  const connect = async () => {
    const fresh = new pg.Client({ ...server, database: name, application_name: APPLICATION_NAME })
    // Tests that end every session end this one too; the next query opens another.
    fresh.on('error', () => {}).on('end', () => (client = undefined))
    await fresh.connect()
    return fresh
  }

  return {
    name,
    url: databaseUrl(server, name),
    connectionSettings: { ...server, database: name, authority },
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      client ??= connect()
      return (await (await client).query<Row>(sql, values)).rows
    },
    async drop() {
      await (await client)?.end()
      await withConnection(server, 'postgres', admin => dropDatabase(admin, name))
    },
  }
}

/** Runs a test with a database and drops it afterwards. After a failure, what the tables held is printed first. */
export async function withDatabase<T>(work: (database: TestDatabase) => Promise<T>, options?: { empty?: boolean }): Promise<T> {
  const database = await createTestDatabase(options)
  let result: T
  try {
    result = await work(database)
  } catch (error) {
    console.error(await describeRows(database).catch(() => 'its tables could not be read'))
    // Sessions left open by a failed test are no finding of their own: the first error is the one to see.
    await database.drop().catch(() => {})
    throw error
  }
  await database.drop()
  return result
}

async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  const database = pg.escapeIdentifier(name)
  try {
    // Waits up to five seconds for sessions that are just ending.
    await admin.query(`DROP DATABASE IF EXISTS ${database}`)
  } catch (error) {
    if ((error as { code?: string }).code !== OBJECT_IN_USE) throw error
    const { rows } = await admin.query<{ pid: number; application_name: string; state: string; query: string }>(
      'SELECT pid, application_name, state, query FROM pg_stat_activity WHERE datname = $1',
      [name],
    )
    await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    const sessions = rows.map(
      row => `  ${row.application_name || '(no application_name)'}, ${row.state}, pid ${row.pid}: ${row.query || '(no query yet)'}`,
    )
    throw new Error(`${rows.length} session(s) still open in ${name}:\n${sessions.join('\n')}`, { cause: error })
  }
}

async function describeRows(database: TestDatabase): Promise<string> {
  const tables = await database.query<{ name: string }>(
    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
  )
  const counts: string[] = []
  for (const { name } of tables) {
    const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${name}`)
    counts.push(`${name}: ${row?.count}`)
  }
  return `Rows in ${database.name} when the test failed: ${counts.join(', ') || 'it has no table'}`
}
