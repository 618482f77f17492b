import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { statusOf } from '../../../functions-runtime/src/edge/status-of.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { DatabaseBusyError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import { backoffMs } from './attempt-times.ts'
import type { BufferedState, EventBuffer } from '../buffer/buffer.ts'
import type { ReadDelivery } from './delivery.ts'
import type { BareHandler, WebhookEvent } from './handler.ts'
import { LaterError, putOff } from './later.ts'
import { logUnapplied } from './log-unapplied.ts'
import { bareTools, runBareHandler } from './run-handler.ts'
import { sourceOf, type Source } from '../verify/source.ts'
import { takeDelivery, type TakeOptions, type Taken } from './take.ts'
import { verifyDelivery } from '../verify/verify-delivery.ts'

export interface ReceiveOptions extends Pick<TakeOptions, 'database' | 'keys' | 'deadline' | 'logger' | 'alerts'> {
  readonly sources: ReadonlyMap<string, Source>
  /** Where events wait while the database is away. */
  readonly buffer: EventBuffer | undefined
  /** What is answered for an event that was parked. */
  readonly poisonStatus: 200 | 500
  readonly counters: Counters
  readonly random?: () => number
}

/** A delivery that the database did not take. */
type NotTaken = Extract<Taken, { outcome: 'away' | 'refused' }>

/** What the sender is told. */
export interface Received {
  readonly status: 200 | 202
  readonly body: Readonly<Record<string, unknown>>
}

/** The same with how it is counted, where the sender is told something simpler. */
interface Settled extends Received {
  readonly counted: string
}

// What a sender is told to wait; the jitter keeps those that were sent away together from coming back together.
const RETRY_AFTER_MS = 5_000
const RETRY_JITTER_MS = 10_000
// A sender that is to send a parked event again is told of an error.
const COUNTED_AS: Readonly<Record<string, string>> = { 'event-failed': 'parked' }
// Kept back for the outage buffer while the database is being waited for.
const BUFFER_MS = 2_000
const BUFFER_SHARE = 0.3

/**
 * Takes one delivery: verifies it on its raw bytes, then takes it into the inbox, or into the outage buffer while the
 * database is away. What is answered with 2xx is stored, or its handler is declared to need no database and has run. A
 * verified event with a usable id is stored whatever else it holds: parked, if its content does not fit.
 * @throws NotFoundError, SignatureError and the like for what is refused, see `verifyDelivery`; `event-in-progress`,
 * `database-busy`, `database-unavailable` and the like, each 503, when nothing was stored and the sender should come back;
 * `event-failed`, 500, for a parked event where senders are to send again.
 */
export async function receiveWebhook(
  request: { source: string; headers: Readonly<Record<string, string>>; body: Buffer },
  options: ReceiveOptions,
): Promise<Received> {
  const source = sourceOf(request.source, options.sources)
  const { counters } = options
  try {
    const { counted, ...received } = await receiveFrom(source, request, options)
    counters.add('events', source.name, counted)
    return received
  } catch (error) {
    counters.add('events', source.name, error instanceof CodedError ? (COUNTED_AS[error.code] ?? error.code) : 'error')
    throw error
  }
}

async function receiveFrom(
  source: Source,
  request: { headers: Readonly<Record<string, string>>; body: Buffer },
  options: ReceiveOptions,
): Promise<Settled> {
  const delivery = verifyDelivery(source, request, options.logger)
  const { deadline } = options
  return within(deadline, source.answerWithinMs ?? Number.POSITIVE_INFINITY, own => settle(delivery, { ...options, deadline: own }))
}

/** Runs work under a deadline that comes no later than in so many ms. */
async function within<Result>(deadline: Deadline, ms: number, work: (deadline: Deadline) => Promise<Result>): Promise<Result> {
  if (ms >= deadline.remainingMs()) return work(deadline)
  const own = openDeadline({ remainingMs: ms, reserveMs: 0 })
  return work(own).finally(() => own.clear())
}

async function settle(delivery: ReadDelivery, options: ReceiveOptions): Promise<Settled> {
  const { deadline, buffer, poisonStatus, random = Math.random } = options
  const untilMs =
    buffer === undefined ? Number.POSITIVE_INFINITY : deadline.remainingMs() - Math.min(BUFFER_MS, deadline.remainingMs() * BUFFER_SHARE)
  const taken = await within(deadline, untilMs, own => takeDelivery(delivery, { ...options, deadline: own, retryFailed: poisonStatus === 500 }))
  switch (taken.outcome) {
    case 'applied':
    case 'ignored':
      return { status: 200, body: { outcome: taken.outcome }, counted: taken.outcome }
    case 'duplicate':
      if (taken.otherBody) noteReuse(delivery, options)
      return { status: 200, body: { outcome: 'duplicate', first: taken.first }, counted: 'duplicate' }
    case 'deferred':
      return { status: 202, body: { outcome: 'deferred' }, counted: 'deferred' }
    case 'failed':
      if (poisonStatus === 500) throw new ApplicationError('This event could not be applied.', { code: 'event-failed', status: 500 })
      return { status: 200, body: { outcome: 'failed' }, counted: 'parked' }
    case 'in-progress':
      throw comeBack('event-in-progress', 'Another delivery of this event is still being worked on.', { cause: taken.error, random })
    case 'away':
    case 'refused':
      return withoutDatabase(delivery, taken, options)
    default:
      return taken satisfies never
  }
}

/** The database did not take it: the buffer does, or the sender has to come back. */
async function withoutDatabase(delivery: ReadDelivery, taken: NotTaken, options: ReceiveOptions): Promise<Settled> {
  const { buffer, deadline, logger, random = Math.random } = options
  const { source } = delivery
  const state = await runUnlessDone(delivery, taken, options)
  const { applied } = state
  const refused =
    buffer === undefined
      ? undefined
      : await buffer.put(delivery, { ...state, deadline }).then(
          () => 'held' as const,
          (reason: unknown) => reason,
        )
  if (refused === 'held') {
    const counted = 'buffered'
    return applied ? { status: 200, body: { outcome: 'applied' }, counted } : { status: 202, body: { outcome: 'buffered' }, counted }
  }
  if (refused !== undefined) logger.error({ event: 'webhook.buffer.refused', source, eventId: delivery.event.id, error: refused })
  if (applied) {
    logger.warn({ event: 'webhook.unlogged', source, eventId: delivery.event.id, type: delivery.event.type })
    return { status: 200, body: { outcome: 'applied' }, counted: 'unlogged' }
  }
  const { error } = taken
  if (!(error instanceof CodedError)) throw error
  const status = statusOf(error)
  if (status !== 503 && status !== 504) throw error
  if (error instanceof DatabaseBusyError) throw comeBack('database-busy', 'The database is too busy at the moment.', { cause: error, random })
  throw comeBack('database-unavailable', 'The database cannot be reached at the moment.', { cause: error, random })
}

/** Runs a handler that needs no database, unless it had its turn in this delivery or the content does not fit. */
async function runUnlessDone(
  { handler, event, fault }: ReadDelivery,
  { ran, putOff: asked }: NotTaken,
  options: ReceiveOptions,
): Promise<BufferedState> {
  if (handler?.needsDatabase !== false || fault !== undefined || asked !== undefined) return { applied: false, putOff: asked }
  return ran ? { applied: true } : runBare({ handler, event }, options)
}

/** Runs a handler that needs no database. What fails is left to a later attempt. */
async function runBare({ handler, event }: { handler: BareHandler; event: WebhookEvent }, options: ReceiveOptions): Promise<BufferedState> {
  const { deadline, ...tools } = options
  const after: (() => unknown)[] = []
  const keptMs = Math.min(BUFFER_MS, deadline.remainingMs() / 2)
  const own = openDeadline({ remainingMs: deadline.remainingMs() - keptMs, reserveMs: 0 })
  try {
    const work = { signal: own.signal, ...bareTools(tools), afterCommit: (callback: () => unknown) => void after.push(callback) }
    await untilAborted(runBareHandler({ handler, event }, work), own.signal)
    for (const callback of after) await callback()
    return { applied: true }
  } catch (error) {
    logUnapplied({ source: event.source, eventId: event.id, type: event.type, failure: 'transient', error }, tools.logger)
    return { applied: false, putOff: error instanceof LaterError ? putOff(error, { defaultMs: backoffMs(1) }) : undefined }
  } finally {
    own.clear()
  }
}

function noteReuse({ source, event, bodyVaries }: ReadDelivery, { counters, logger }: ReceiveOptions): void {
  counters.add('event-ids-reused', source)
  if (!bodyVaries) logger.warn({ event: 'webhook.event-id-reused', source, eventId: event.id, type: event.type })
}

// 503 and not 504: senders slow down for it.
function comeBack(code: string, message: string, { cause, random }: { cause: unknown; random: () => number }): ApplicationError {
  const retryAfterMs = RETRY_AFTER_MS + random() * RETRY_JITTER_MS
  return new ApplicationError(message, { code, status: 503, retryable: true, retryAfterMs, cause })
}
