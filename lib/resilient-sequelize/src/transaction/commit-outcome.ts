import type { QueryResult } from 'pg'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { wait } from '../../../invocation/src/wait.ts'
import type { Lease } from '../pool/lease.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import { refusesIdentity } from '../wire/identity.ts'
import { ANSWER_MS, endSession } from './end-session.ts'
import {
  isSameIncarnation,
  SERVER_INCARNATION,
  SYSTEM_ID,
  TIMELINE,
  type ServerIncarnation,
  type TransactionIdentity,
} from '../wire/session-identity.ts'

/**
 * What became of a COMMIT whose answer was lost. `ended`: the transaction of that id is over, but it may have been another
 * one, to which the id was given after a crash or a failover; a row of ours decides then, on a server of that timeline.
 * `unknown`: not even that.
 */
export type CommitOutcome = { readonly kind: 'committed' | 'rolled-back' | 'unknown' } | { readonly kind: 'ended'; readonly timeline: number | null }

export interface CommitOutcomeOptions {
  identity: TransactionIdentity
  deadline: Deadline
  /** Leases a connection other than the one that was lost. */
  lease: () => Promise<Lease>
}

/** What a server says of a transaction, with the reasons why it may be believed. */
interface Verdict extends ServerIncarnation {
  readonly status: 'committed' | 'aborted' | 'in progress' | 'future' | 'forgotten' | CannotKnow
  /** Whether the server was promoted since it started, and had replayed the log up to the transaction's position before. */
  readonly replayed: boolean
}

/** The role may not ask, or the server cannot be asked: no further question tells more. */
const REFUSED = 'refused'

/** Why a server cannot know: a standby may not have replayed the commit; another system; a primary that was superseded. */
const CANNOT_KNOW = ['standby', 'stranger', 'superseded'] as const
type CannotKnow = (typeof CANNOT_KNOW)[number]

const WHY = `CASE WHEN pg_is_in_recovery() THEN 'standby' WHEN ${SYSTEM_ID} <> $1 THEN 'stranger' WHEN ${TIMELINE} < $2::int THEN 'superseded'`
// Why it cannot know comes first: asked for an id that it has not seen, a standby would say that it is in the future.
const VERDICT = `SELECT ${WHY} ELSE coalesce(pg_xact_status($3::xid8), 'forgotten') END AS status, ${SERVER_INCARNATION}`
// The time of the last replay is null after the recovery from a crash, which replays as well. Asked apart, and only behind a
// failover: not every server supports it.
const REPLAYED = `SELECT CASE WHEN pg_last_xact_replay_timestamp() IS NULL THEN false ELSE coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) END AS replayed`
const CAN_KNOW = `SELECT ${WHY} END AS why`
// With this `pg_xact_status` refuses an id that has not been given out yet: the server that gave it crashed before the id
// reached the disk, and what it did is gone. A snapshot does not tell that: its xmax may be a transaction in progress.
const NOT_GIVEN_OUT = '22023'
const ASK_AGAIN_MS = 50
// Another connection is made each time.
const ASK_ELSEWHERE_MS = 250

/**
 * Finds out what became of a transaction by asking the server about its id, on another connection. Only a server that can
 * know is believed, and asked again until there is one. `committed` is believed only where the id cannot be another
 * transaction's. Resolves to `unknown` when nothing can be proven before the deadline.
 */
export async function resolveCommit({ identity, deadline, lease }: CommitOutcomeOptions): Promise<CommitOutcome> {
  let endSessionFirst = false
  while (deadline.remainingMs() > 0) {
    const verdict: Verdict | typeof REFUSED | undefined = await ask(identity, { deadline, lease, endSessionFirst }).catch(() => undefined)
    if (verdict === REFUSED) break
    const outcome = verdict && outcomeOf(verdict, identity)
    if (outcome !== undefined) return outcome
    endSessionFirst = verdict?.status === 'in progress'
    await wait(verdict !== undefined && cannotKnow(verdict) ? ASK_ELSEWHERE_MS : ASK_AGAIN_MS, deadline.signal).catch(() => undefined)
  }
  return { kind: 'unknown' }
}

/** Whether the server of this connection can know what became of a transaction of that system and timeline. */
export async function canKnow(
  connection: GuardedClient,
  { systemId, timeline }: Pick<TransactionIdentity, 'systemId' | 'timeline'>,
  leftMs: number,
): Promise<boolean> {
  const { rows } = (await connection.sendRaw(CAN_KNOW, [systemId, timeline], { timeoutMs: answerMs(leftMs) })) as QueryResult
  return (rows[0] as { why: CannotKnow | null } | undefined)?.why === null
}

/** `undefined`: it has to be asked again. */
function outcomeOf(verdict: Verdict, identity: TransactionIdentity): CommitOutcome | undefined {
  const { status, timeline } = verdict
  const ended = { kind: 'ended', timeline } as const
  switch (status) {
    case 'committed':
      return isSameIncarnation(verdict, identity) || isReplayed(verdict, identity) ? { kind: 'committed' } : ended
    case 'aborted':
    case 'future':
      return { kind: 'rolled-back' }
    case 'in progress':
      // A server that was promoted since has ended whatever it had replayed in part: the id is another transaction's by now.
      return isPromoted(verdict, identity) ? { kind: 'rolled-back' } : undefined
    case 'forgotten':
      return ended
    case 'standby':
    case 'stranger':
    case 'superseded':
      return undefined
    default:
      return status satisfies never
  }
}

function isPromoted(verdict: ServerIncarnation, identity: TransactionIdentity): boolean {
  return verdict.timeline !== null && identity.timeline !== null && verdict.timeline > identity.timeline
}

// A standby that knew the id when it was promoted gives it to no other transaction. After a second promotion the position
// proves nothing: the first one may have lost the end of the log, and the log has grown past the position since.
function isReplayed(verdict: Verdict, identity: TransactionIdentity): boolean {
  return isNextTimeline(verdict, identity) && verdict.replayed
}

function isNextTimeline(verdict: Pick<Verdict, 'timeline'>, { timeline }: TransactionIdentity): boolean {
  return timeline !== null && verdict.timeline === timeline + 1
}

function cannotKnow({ status }: Verdict): boolean {
  return CANNOT_KNOW.some(why => why === status)
}

async function ask(
  identity: TransactionIdentity,
  { deadline, lease, endSessionFirst }: { deadline: Deadline; lease: () => Promise<Lease>; endSessionFirst: boolean },
): Promise<Verdict | typeof REFUSED | undefined> {
  const leased = await lease()
  try {
    // Still in progress: its COMMIT may never have arrived, and its session waits for a client that is gone.
    if (endSessionFirst) await endSession(leased.connection, identity, deadline.remainingMs())
    const verdict = await verdictOn(identity, leased, answerMs(deadline.remainingMs()))
    // The address may lead to another server by now.
    if (verdict !== undefined && verdict !== REFUSED && cannotKnow(verdict)) leased.destroy()
    else leased.release()
    return verdict
  } catch (error) {
    leased.destroy()
    throw error
  }
}

async function verdictOn(identity: TransactionIdentity, { connection }: Lease, timeoutMs: number): Promise<Verdict | typeof REFUSED | undefined> {
  const { xid, systemId, timeline, position } = identity
  try {
    const { rows } = (await connection.sendRaw(VERDICT, [systemId, timeline, xid], { timeoutMs })) as QueryResult<Omit<Verdict, 'replayed'>>
    const [said] = rows
    const asks = said?.status === 'committed' && position !== null && isNextTimeline(said, identity)
    return said && { ...said, replayed: asks && (await hasReplayed(connection, position, timeoutMs)) }
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_GIVEN_OUT) return { ...identity, status: 'future', replayed: false }
    if (refusesIdentity(error)) return REFUSED
    throw error
  }
}

async function hasReplayed(connection: GuardedClient, position: string, timeoutMs: number): Promise<boolean> {
  try {
    const { rows } = (await connection.sendRaw(REPLAYED, [position], { timeoutMs })) as QueryResult<{ replayed: boolean }>
    return rows[0]?.replayed === true
  } catch (error) {
    if (refusesIdentity(error)) return false
    throw error
  }
}

function answerMs(leftMs: number): number {
  return Math.max(1, Math.min(ANSWER_MS, leftMs))
}
