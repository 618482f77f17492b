import pg from 'pg'
import type { DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { pgTls } from '../../../functions-runtime/src/settings/tls.ts'

export interface ConnectionOptions {
  /** Shown by the server for the session. */
  readonly name: string
  /** For the connection, and for each answer. */
  readonly withinMs: number
  /** What the session begins with. */
  readonly startUp?: string
}

/** A connection of its own for a command; a failed one leaves no socket. */
export async function openConnection(settings: DatabaseSettings, { name, withinMs, startUp }: ConnectionOptions): Promise<pg.Client> {
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    database: settings.name,
    user: settings.user,
    password: settings.password,
    ...pgTls(settings.tls, settings.host),
    application_name: name,
    connectionTimeoutMillis: withinMs,
    query_timeout: withinMs,
    // Never what the shell says in PGOPTIONS. pg reads times in this style alone.
    options: startUp ?? '-c client_min_messages=warning -c DateStyle=ISO',
  })
  // A connection that is cut while nothing is asked must not end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    client.connection.stream.destroy()
    throw error
  }
}

/** Whether a pooler answers: it announces a process that is not the one behind it. */
export async function isPooled(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return Number(rows[0]?.pid) !== (client as unknown as { processID: number }).processID
}
