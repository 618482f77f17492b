import { setTimeout as sleep } from 'node:timers/promises'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { type ChaosDatabase } from './chaos-database.ts'

// Sessions end a moment after their connection, and lost ones when the server's own time limits end them.
const SETTLE_MS = 6_000
const LOOK_AGAIN_MS = 50
const SESSIONS = 'FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, $1)'
const BUSY = "(state <> 'idle' OR EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory'))"

export interface LeftOverOptions {
  /** Sessions are a pooler's and outlive its clients: only those count that hold a transaction or a lock. */
  busyOnly?: boolean
  /** How many other things of the application are there. */
  others?: () => Promise<number>
}

/** How many sessions of an application are still there once they had time to end. */
export async function leftOver(
  database: ChaosDatabase,
  applicationName: string,
  { busyOnly = false, others = async () => 0 }: LeftOverOptions = {},
): Promise<number> {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const [found] = await database.query<{ count: number }>(`SELECT count(*)::int AS count ${SESSIONS}${busyOnly ? ` AND ${BUSY}` : ''}`, [
      applicationName,
    ])
    const left = (found?.count ?? 0) + (await others())
    if (left === 0 || performance.now() > until) return left
    await sleep(LOOK_AGAIN_MS)
  }
}

/** Ends all sessions of an application, as an administrator or a provider's maintenance does. */
export async function endSessions(database: ChaosDatabase, applicationName: string): Promise<void> {
  await database.query(`SELECT pg_terminate_backend(pid, 1000) ${SESSIONS}`, [applicationName])
}

/**
 * Begins something, and strikes once a session of the application sleeps in the middle of a statement; resolves to what
 * was begun. A statement that could not be caught asleep is struck when it has ended.
 */
export async function strikeAsleep<Result>(
  { server, name }: ChaosDatabase,
  applicationName: string,
  { begin, strike }: { begin: () => Promise<Result>; strike: () => Promise<unknown> },
): Promise<Result> {
  const { host, port, user, password } = server
  return withConnection({ host, port, user, password }, name, async client => {
    let ended = false
    const begun = begin().finally(() => (ended = true))
    while (!ended && (await client.query(`SELECT 1 ${SESSIONS} AND wait_event = 'PgSleep'`, [applicationName])).rowCount === 0) await sleep(5)
    await strike()
    return begun
  })
}
