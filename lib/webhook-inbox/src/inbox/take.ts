import { v7 as uuidv7 } from 'uuid'
import type { PayloadKeys } from '../settings/payload.ts'
import type { EventOutcome } from './outcome.ts'
import type { DatabaseService, Work } from '../../../functions-runtime/src/database/service.ts'
import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { CommitUnknownError, DatabaseBusyError } from '../../../resilient-sequelize/src/errors/errors.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { untilReplay } from '../../../invocation/src/retry.ts'
import { UNDER_LOCK } from './user-lock.ts'
import { claimHolder } from './claim-holder.ts'
import { claimEvent, forgetPayload, noteUser, storeUnapplied, type KnownEvent } from './claim.ts'
import { receivedFirst, type ReadDelivery } from './delivery.ts'
import { failureNote, untilNextMs } from './failure-note.ts'
import { judgeFailure, mayPassSoon, refusalOf, type Progress, type Refusal } from './failure.ts'
import type { Effect } from './handler.ts'
import { fromPutOff, LaterError, putOff, type PutOff } from './later.ts'
import { logUnapplied } from './log-unapplied.ts'
import { rowProof } from './row-proof.ts'
import { runHandler, type HandlerTools } from './run-handler.ts'

/** What became of a delivery. */
export type Taken =
  | { readonly outcome: 'applied' | 'ignored' }
  /** Known before, by its first delivery; `deferred` while that waits for a later attempt. */
  | { readonly outcome: 'duplicate'; readonly first: EventOutcome | 'deferred'; readonly otherBody: boolean }
  /** Stored: to be tried again, or for a person. */
  | { readonly outcome: 'deferred' | 'failed'; readonly code: string }
  /** Not stored: another delivery of it was still being worked on. */
  | { readonly outcome: 'in-progress'; readonly error: unknown }
  /**
   * Not stored: the database did not take it. `ran`: its handler, which needs no database, has done its part. `putOff`: its
   * handler asked for a later attempt.
   */
  | { readonly outcome: 'away'; readonly error: unknown; readonly ran: boolean; readonly putOff?: PutOff }
  /** The same, but the database would not take it either when it is tried again. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly error: unknown; readonly ran: boolean; readonly putOff?: PutOff }

export interface TakeOptions extends HandlerTools {
  readonly database: Pick<DatabaseService, 'execute' | 'hasReported'>
  readonly keys: PayloadKeys
  readonly deadline: Deadline
  /** Takes up parked events that are delivered again. */
  readonly retryFailed?: boolean
  /** Only stores it: its handler has run elsewhere. */
  readonly recordOnly?: boolean
  /** Only stores it for a later attempt: its handler has asked for that. */
  readonly putOff?: PutOff | undefined
}

// Kept back of the time: for storing what could not be applied.
const STORE_MS = 1_500
const STORE_SHARE = 0.25
// SQLSTATEs with which a limit of the administrator ends a wait: lock_timeout, statement_timeout.
const OF_WAITING = ['55P03', '57014']

/**
 * Takes a delivery into the inbox: claims the event, applies it and marks it in one transaction. What fails is tried
 * again in the time there is, then stored for a later attempt or for a person. A delivery of an event that another is
 * applying just now waits for that one's end.
 */
export async function takeDelivery(delivery: ReadDelivery, options: TakeOptions): Promise<Taken> {
  const { deadline, database } = options
  const kept = Math.min(STORE_MS, deadline.remainingMs() * STORE_SHARE)
  const own = openDeadline({ remainingMs: deadline.remainingMs() - kept, reserveMs: 0 })
  const state: State = { progress: 'connecting', ran: false, id: uuidv7() }
  try {
    return await applyUntilDone(delivery, state, { ...options, deadline: own })
  } catch (error) {
    const { progress, ran } = state
    if (progress === 'claiming' && hasWaited(error)) {
      const holder = await claimHolder(delivery, options)
      if (holder === 'delivery') return { outcome: 'in-progress', error }
      if (holder !== 'unknown') return { outcome: 'away', error: new DatabaseBusyError({ retryAfterMs: 0, cause: error }), ran }
    }
    const ofDatabase = database.hasReported(error)
    const failure = judgeFailure({ error, ofDatabase }, progress)
    if (failure === 'away') return { outcome: 'away', error, ran }
    const claimedAs = ofDatabase && error instanceof CommitUnknownError ? undefined : state.id
    const { source, id: eventId, type } = delivery.event
    logUnapplied({ source, eventId, type, failure: failure === 'refused' ? 'permanent' : failure, error }, options.logger)
    return storeFailed(firstReceived(delivery, state), { failure: failure === 'refused' ? 'permanent' : failure, error, ran, claimedAs }, options)
  } finally {
    own.clear()
  }
}

interface State {
  progress: Progress
  ran: boolean
  /** Of the row that stands for the event. */
  id: string
  /** When the first claim was made, which is taken back with all it did: a later one keeps its time. */
  receivedAt?: Date
}

async function applyUntilDone(delivery: ReadDelivery, state: State, options: TakeOptions): Promise<Taken> {
  const { database, deadline } = options
  let before: unknown
  for (let replays = 0; ; replays += 1) {
    try {
      return await database.execute('webhook.apply', work => apply(delivery, state, options, work), {
        ...UNDER_LOCK,
        deadline,
        wasCommitted: rowProof(() => state.id, 'done'),
      })
    } catch (error) {
      if (mayPassSoon(error) && (await untilReplay(replays, { deadline, signal: deadline.signal }))) before = error
      // Why there was no more time says less than what it was used up by.
      else throw error instanceof DeadlineExceededError && before !== undefined ? before : error
    }
  }
}

async function apply(
  given: ReadDelivery,
  state: State,
  { keys, retryFailed = false, recordOnly = false, putOff: asked, ...tools }: TakeOptions,
  work: Work,
): Promise<Taken> {
  // A handler that was reached once has had its turn: what cuts off a claim that is made anew is the end of the time.
  if (state.progress === 'connecting') state.progress = 'claiming'
  const claim = await claimEvent({ id: state.id, delivery: firstReceived(given, state), keys }, work, { retryFailed })
  if (claim.outcome === 'duplicate') return duplicateOf(claim.known)
  state.progress = 'applying'
  state.id = claim.id
  state.receivedAt = claim.receivedAt
  const delivery = receivedFirst(given, claim.receivedAt)
  // From here on an error stores the event in place of what this transaction did.
  if (!recordOnly && delivery.fault !== undefined) throw delivery.fault
  if (asked !== undefined) throw fromPutOff(asked)
  const effect = recordOnly ? undefined : await applyOnce(delivery, state, work, tools)
  const userId = effect?.userId
  if (userId) await noteUser({ id: claim.id, userId }, work)
  if (effect?.erased) await forgetPayload(claim.id, work)
  return { outcome: delivery.handler ? 'applied' : 'ignored' }
}

function firstReceived(delivery: ReadDelivery, { receivedAt }: State): ReadDelivery {
  return receivedAt === undefined ? delivery : { ...delivery, bufferedAt: receivedAt }
}

// Once is enough for one delivery, however often its record has to be tried.
async function applyOnce(delivery: ReadDelivery, state: State, work: Work, tools: HandlerTools): Promise<Effect | undefined> {
  if (state.ran) return undefined
  const effect = await runHandler(delivery, work, tools)
  state.ran = delivery.handler?.needsDatabase === false
  return effect
}

async function storeFailed(
  delivery: ReadDelivery,
  { failure, error, ran, claimedAs }: { failure: 'transient' | 'permanent'; error: unknown; ran: boolean; claimedAs: string | undefined },
  { database, deadline, keys, retryFailed = false }: TakeOptions,
): Promise<Taken> {
  const { code, invalidPaths } = failureNote(error)
  const unapplied = {
    outcome: failure === 'permanent' ? 'failed' : null,
    lastError: code,
    invalidPaths,
    retryInMs: failure === 'permanent' ? null : untilNextMs(error, 1),
  } as const
  const id = uuidv7()
  const options = { deferParked: retryFailed && error instanceof LaterError, claimedAs }
  try {
    const claim = await database.execute('webhook.store', work => storeUnapplied({ id, delivery, keys }, unapplied, work, options), {
      ...UNDER_LOCK,
      deadline,
      wasCommitted: rowProof(() => id, 'stored'),
    })
    if (claim.outcome === 'duplicate' && claim.known.outcome !== 'failed') return duplicateOf(claim.known)
    return { outcome: failure === 'permanent' || claim.outcome === 'duplicate' ? 'failed' : 'deferred', code }
  } catch (cause) {
    const asked = error instanceof LaterError ? { putOff: putOff(error, { defaultMs: untilNextMs(error, 1) }) } : {}
    const refusal = database.hasReported(cause) ? refusalOf(cause) : undefined
    if (refusal !== undefined) return { outcome: 'refused', refusal, error: cause, ran, ...asked }
    return { outcome: 'away', error: cause, ran, ...asked }
  }
}

function duplicateOf({ outcome, otherBody }: KnownEvent): Taken {
  return { outcome: 'duplicate', first: outcome ?? 'deferred', otherBody }
}

/** Whether a claim that ended with this error may have waited for a lock. */
function hasWaited(error: unknown): boolean {
  return error instanceof DeadlineExceededError || error instanceof DatabaseBusyError || OF_WAITING.includes(codeOf(error))
}
