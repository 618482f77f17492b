import type pg from 'pg'
import type { DatabaseSettings } from '../../../config/settings/database.ts'
import { isPooled, openConnection } from '../../connection.ts'

/** What is between a client and the server: nothing, or a pooler that lends a session for so long. */
export type PoolMode = 'none' | 'transaction' | 'session' | 'statement'

const WITHIN_MS = 2_000
const TRIES = 3

/**
 * Finds out by being lent sessions. One that another connection gets while the first is still open was lent for a
 * transaction; a pooler that allows no transaction at all lends for a statement.
 */
export async function findPoolMode(client: pg.Client, settings: DatabaseSettings): Promise<PoolMode> {
  if (!(await isPooled(client))) return 'none'
  try {
    await client.query('BEGIN')
    await client.query('COMMIT')
  } catch {
    return 'statement'
  }
  let other: pg.Client | undefined
  try {
    other = await openConnection(settings, { name: 'cli/doctor', withinMs: WITHIN_MS, startUp: '' })
    for (let tries = 0; tries < TRIES; tries += 1) {
      if ((await processOf(client)) === (await processOf(other))) return 'transaction'
    }
    return 'session'
  } catch {
    // There is no session to lend while the first connection is open: it keeps its own.
    return 'session'
  } finally {
    other?.connection.stream.destroy()
  }
}

async function processOf(client: pg.Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
}
