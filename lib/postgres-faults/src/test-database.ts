import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createDatabase, databaseUrl, withConnection } from '../../functions-devkit/src/server/postgres/connection.ts'
import { type TestServer } from './test-server.ts'

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

/** Creates one on the server of the test run, as a copy of another. */
export async function copyDatabase({ authority, ...server }: TestServer, template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await createDatabase(server, name, template)

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
