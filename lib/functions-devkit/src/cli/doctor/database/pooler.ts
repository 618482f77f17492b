import type pg from 'pg'
import type { DatabaseSettings } from '../../../../../functions-runtime/src/database/settings.ts'
import { isPooled, openConnection } from '../../connection.ts'

/** What is between a client and the server: nothing, or a pooler that lends a session for so long. */
export type PoolMode = 'none' | 'transaction' | 'session' | 'statement'

/** The oldest PgBouncer that is supported: SCRAM, with which PostgreSQL 14 keeps its passwords, came with it. */
export const LEAST_PGBOUNCER = '1.11'

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

/** PgBouncer's version, if it tells this user: only its administrators may ask its console. */
export async function findPoolerVersion(settings: DatabaseSettings): Promise<string | undefined> {
  let console: pg.Client | undefined
  try {
    console = await openConnection({ ...settings, name: 'pgbouncer' }, { name: 'cli/doctor', withinMs: WITHIN_MS, startUp: '' })
    // Before 1.12 it answers with a notice and no row.
    let noticed: string | undefined
    console.on('notice', ({ message }) => (noticed = message))
    const { rows } = await console.query<{ version: string }>('SHOW VERSION')
    return /PgBouncer (?:version )?(\d+\.\d+\S*)/i.exec(rows[0]?.version ?? noticed ?? '')?.[1]
  } catch {
    return undefined
  } finally {
    console?.connection.stream.destroy()
  }
}

async function processOf(client: pg.Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
}
