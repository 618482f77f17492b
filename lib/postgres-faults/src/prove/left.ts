import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { type History } from './history.ts'
import { OBSERVER, type ProofDatabase } from './ground.ts'

// Sessions end a moment after their connection, and those whose client was swallowed when the server's time limits end them.
const SETTLE_MS = 8_000
const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 200

// A pooler's sessions outlive its clients: only those count that are in a transaction or have a lock.
// A server that has received a part of a flight waits for its end without a limit of its own: TCP finds out that the client is
// gone, which a proxy on the same machine prevents. Such a session counts only if it has written something or has a lock.
const LOCKS = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pg_locks.pid = session.pid"
const HALF_A_FLIGHT = "state = 'active' AND wait_event = 'ClientRead' AND backend_xid IS NULL"
const LEFT = `
  SELECT
    (SELECT count(*)::int FROM pg_stat_activity session
     WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> $1
       AND (EXISTS (${LOCKS}) OR NOT (${HALF_A_FLIGHT} OR ($2 AND state = 'idle')))) AS sessions,
    (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    + (SELECT count(*)::int FROM pg_prepared_xacts WHERE database = current_database()) AS locks`

/** Returns what functions have left of a database once it had time to end: sessions, clients of the pooler, and locks. */
export async function whatIsLeft(database: ProofDatabase, way: ProvenWay, signal?: AbortSignal): Promise<History['left']> {
  const until = performance.now() + SETTLE_MS
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
    const [found] = await database.query<{ sessions: number; locks: number }>(LEFT, [OBSERVER, way === 'pooler'])
    const clients = way === 'pooler' ? await database.countPoolerClients() : 0
    const left = { sessions: (found?.sessions ?? 0) + clients, locks: found?.locks ?? 0 }
    if (left.sessions + left.locks === 0 || performance.now() > until) return left
    await sleep(waitMs, undefined, signal && { signal })
  }
}
