import type { QueryResult } from 'pg'
import type { Deadline } from '../../resilience/deadline.ts'
import { wait } from '../../resilience/wait.ts'
import type { Lease } from '../lease.ts'
import { endSession } from './end-session.ts'
import { SERVER_INCARNATION, type TransactionIdentity } from './identity.ts'

/** What became of a COMMIT whose answer was lost. */
export type CommitOutcome = 'committed' | 'rolled-back' | 'unknown'

export interface CommitOutcomeOptions {
  identity: TransactionIdentity
  deadline: Deadline
  /** Leases a connection other than the one that was lost. */
  lease: () => Promise<Lease>
}

interface Verdict {
  status: 'committed' | 'aborted' | 'in progress' | 'future' | null
  serverStart: string
  checkpoint: string
}

// An id at or above the next one to be given out was handed out by a server that crashed before it reached the disk:
// what it did is gone. `pg_xact_status` refuses to be asked about such an id.
const VERDICT = `SELECT CASE WHEN $1::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) THEN 'future' ELSE pg_xact_status($1::xid8) END AS status, ${SERVER_INCARNATION}`
const ASK_AGAIN_MS = 50

/**
 * Finds out what became of a transaction by asking the server about its id, on another connection.
 * `committed` is believed only of the same incarnation of the server that gave the id: after a crash it may have been
 * given to somebody else. Resolves to `unknown` when nothing can be proven before the deadline.
 */
export async function resolveCommit({ identity, deadline, lease }: CommitOutcomeOptions): Promise<CommitOutcome> {
  for (let looks = 0; deadline.remainingMs() > 0; looks += 1) {
    const verdict = await ask(identity, { deadline, lease, endSessionFirst: looks > 0 }).catch(() => undefined)
    switch (verdict?.status) {
      case 'aborted':
      case 'future':
        return 'rolled-back'
      case 'committed':
        return verdict.serverStart === identity.serverStart && verdict.checkpoint === identity.checkpoint ? 'committed' : 'unknown'
      case null:
        // Too old to be remembered.
        return 'unknown'
      case 'in progress':
      case undefined:
        break
      default:
        return (verdict?.status satisfies undefined) ?? 'unknown'
    }
    await wait(ASK_AGAIN_MS, deadline.signal).catch(() => undefined)
  }
  return 'unknown'
}

async function ask(
  identity: TransactionIdentity,
  { deadline, lease, endSessionFirst }: { deadline: Deadline; lease: () => Promise<Lease>; endSessionFirst: boolean },
): Promise<Verdict | undefined> {
  const leased = await lease()
  try {
    const timeoutMs = Math.max(1, deadline.remainingMs())
    // Still in progress: its COMMIT may never have arrived, and its session waits for a client that is gone.
    if (endSessionFirst) await endSession(leased.connection, identity, timeoutMs)
    const { rows } = (await leased.connection.sendRaw(VERDICT, [identity.xid], { timeoutMs })) as QueryResult<Verdict>
    leased.release()
    return rows[0]
  } catch (error) {
    leased.destroy()
    throw error
  }
}
