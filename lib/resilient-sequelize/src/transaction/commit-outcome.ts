import type { QueryResult } from 'pg'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { wait } from '../../../invocation/src/wait.ts'
import type { Lease } from '../pool/lease.ts'
import { ANSWER_MS, endSession } from './end-session.ts'
import { isSameIncarnation, SERVER_INCARNATION, type ServerIncarnation, type TransactionIdentity } from '../wire/session-identity.ts'

/**
 * What became of a COMMIT whose answer was lost. `ended`: the transaction of that id is over, but after a crash it may
 * have been somebody else's; whether a row of ours is there decides then. `unknown`: not even that.
 */
export type CommitOutcome = 'committed' | 'rolled-back' | 'ended' | 'unknown'

export interface CommitOutcomeOptions {
  identity: TransactionIdentity
  deadline: Deadline
  /** Leases a connection other than the one that was lost. */
  lease: () => Promise<Lease>
}

type Verdict = ({ status: 'committed' | 'aborted' | 'in progress' | null } & ServerIncarnation) | { status: 'future' }

const VERDICT = `SELECT pg_xact_status($1::xid8) AS status, ${SERVER_INCARNATION}`
// With this `pg_xact_status` refuses an id that has not been given out yet: the server that gave it crashed before the id
// reached the disk, and what it did is gone. A snapshot does not tell that: its xmax may be a transaction in progress.
const NOT_GIVEN_OUT = '22023'
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
        return isSameIncarnation(verdict, identity) ? 'committed' : 'ended'
      case null:
        // Too old to be remembered.
        return 'ended'
      case 'in progress':
      case undefined:
        break
      default:
        return verdict satisfies never
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
    // Still in progress: its COMMIT may never have arrived, and its session waits for a client that is gone.
    if (endSessionFirst) await endSession(leased.connection, identity, deadline.remainingMs())
    const verdict = await verdictOn(identity, leased, Math.max(1, Math.min(ANSWER_MS, deadline.remainingMs())))
    leased.release()
    return verdict
  } catch (error) {
    leased.destroy()
    throw error
  }
}

async function verdictOn({ xid }: TransactionIdentity, { connection }: Lease, timeoutMs: number): Promise<Verdict | undefined> {
  try {
    const { rows } = (await connection.sendRaw(VERDICT, [xid], { timeoutMs })) as QueryResult
    return rows[0] as Verdict | undefined
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_GIVEN_OUT) return { status: 'future' }
    throw error
  }
}
