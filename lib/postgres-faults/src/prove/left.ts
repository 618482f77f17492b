import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { type History } from './history.ts'
import { OBSERVER, type ProofDatabase } from './ground.ts'

// Sessions end a moment after their connection, and those whose client was swallowed when the server's time limits end them.
const SETTLE_MS = 8_000
const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 200

// A pooler's sessions outlive its clients: only those count that are in a transaction or have a lock.
const LOCKS = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pg_locks.pid = session.pid"
const LEFT = `
  SELECT
    (SELECT coalesce(array_agg(concat_ws(', ', application_name, state, wait_event, 'for ' || clock_timestamp() - state_change, 'of ' || clock_timestamp() - backend_start, query)), '{}') FROM pg_stat_activity session
     WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> $1
       AND (NOT $2 OR state <> 'idle' OR EXISTS (${LOCKS}))) AS sessions,
    (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    + (SELECT count(*)::int FROM pg_prepared_xacts WHERE database = current_database()) AS locks`

/** What is left, and what each session was last seen to do. */
export interface Left extends Pick<History, 'left'> {
  readonly sessions: readonly string[]
}

/** Returns what functions have left of a database once it had time to end: sessions, clients of the pooler, and locks. */
export async function whatIsLeft(database: ProofDatabase, way: ProvenWay, signal?: AbortSignal): Promise<Left> {
  const until = performance.now() + SETTLE_MS
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
    const [found] = await database.query<{ sessions: string[]; locks: number }>(LEFT, [OBSERVER, way === 'pooler'])
    const clients = way === 'pooler' ? await database.countPoolerClients() : 0
    const { sessions = [], locks = 0 } = found ?? {}
    const left = { sessions: sessions.length + clients, locks }
    if (left.sessions + locks === 0 || performance.now() > until) return { left, sessions }
    await sleep(waitMs, undefined, signal && { signal })
  }
}
