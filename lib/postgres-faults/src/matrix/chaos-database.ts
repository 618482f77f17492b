import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createDatabase, withConnection, type ServerAddress } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { observe } from '../observer.ts'
import { type Rows } from './ledger.ts'
import { SCHEMA } from './workloads.ts'

/** A database with the tables of the matrix, seen past every proxy. */
export interface ChaosDatabase {
  readonly name: string
  readonly server: ServerAddress
  /** Runs one statement past the proxy, and again when the server is restarted meanwhile. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** What the given operations have left. */
  rowsOf(operations: readonly string[]): Promise<Map<string, Rows>>
  drop(): Promise<void>
}

const ROWS = `
  SELECT operation, part, count(*)::int AS count FROM effects WHERE operation = ANY ($1) GROUP BY operation, part
  UNION ALL SELECT operation, NULL, count(*)::int FROM logs WHERE operation = ANY ($1) GROUP BY operation`

/** Creates one on a server. */
export async function createChaosDatabase(server: ServerAddress): Promise<ChaosDatabase> {
  const { host, port, user, password } = server
  const address = { host, port, user, password }
  const name = `chaos_${randomBytes(6).toString('hex')}`
  await createDatabase(address, name, 'template0')
  const observer = observe(address, name, 'chaos')
  const database: ChaosDatabase = {
    name,
    server,
    query: observer.query,
    async rowsOf(operations) {
      const found = await database.query<{ operation: string; part: number | null; count: number }>(ROWS, [operations])
      return new Map(operations.map(operation => [operation, rowsOf(found.filter(row => row.operation === operation))]))
    },
    async drop() {
      await observer.end()
      await withConnection(address, 'postgres', admin => admin.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`))
    },
  }
  await database.query(SCHEMA)
  return database
}

function rowsOf(found: readonly { part: number | null; count: number }[]): Rows {
  const parts = new Map<number, number>()
  let logs = 0
  for (const { part, count } of found) {
    if (part === null) logs = count
    else parts.set(part, count)
  }
  return { parts, logs }
}
