import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type ServerAddress } from '../../functions-devkit/src/server/postgres/connection.ts'

/** Asks one database, past every proxy. */
export interface Observer {
  /** Runs one statement, and again when the server is restarted meanwhile. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Closes its connection; the next statement opens another. */
  end(): Promise<void>
}

// A server that is being restarted is away for a moment.
const LONGEST_ABSENCE_MS = 20_000
const LOOK_AGAIN_MS = 50
// The server, or this session of it, has just gone.
const GONE = /^(57P0[123]|ECONNRESET|ECONNREFUSED|EPIPE)$|^Connection terminated|not queryable/

/** Makes an observer, which connects with its first statement. */
export function observe({ host, port, user, password }: ServerAddress, database: string, applicationName: string): Observer {
  let client: Promise<pg.Client> | undefined

  async function connect(): Promise<pg.Client> {
    const until = performance.now() + LONGEST_ABSENCE_MS
    for (;;) {
      const fresh = new pg.Client({
        host,
        port,
        user,
        password,
        database,
        application_name: applicationName,
        pipeline: true,
        connectionTimeoutMillis: LONGEST_ABSENCE_MS,
      })
      fresh.on('error', () => {}).on('end', () => (client = undefined))
      try {
        await fresh.connect()
        return fresh
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(LOOK_AGAIN_MS)
      }
    }
  }

  return {
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      const until = performance.now() + LONGEST_ABSENCE_MS
      for (;;) {
        try {
          const connected = await (client ??= connect())
          return (await connected.query<Row>(sql, values)).rows
        } catch (error) {
          const { code, message } = error as Error & { code?: string }
          if (!GONE.test(code ?? message) || performance.now() > until) throw error
          client = undefined
          await sleep(LOOK_AGAIN_MS)
        }
      }
    },
    async end() {
      await (await client)?.end()
    },
  }
}
