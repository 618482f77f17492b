import { sql, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import { CommitUnknownError, DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { DatabaseService, Work } from '../../../functions-runtime/src/database/service.ts'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import { UNDER_LOCK } from './user-lock.ts'
import { MOST_ATTEMPTS } from './attempt-times.ts'
import { endIfErased, forgetPayload, KEPT_UNLESS_ERASED, noteUser, retractClaim, SUBJECT } from './claim.ts'
import { readDelivery, type Delivery, type ReadDelivery } from './delivery.ts'
import { orderOf } from './event-order.ts'
import { failureNote, untilNextMs } from './failure-note.ts'
import { judgeFailure, refusalOf } from './failure.ts'
import { leaseEvent, type DueEvent } from './lease-event.ts'
import { logUnapplied } from './log-unapplied.ts'
import { eventName, open, PayloadUnreadableError } from './payload.ts'
import { rowProof } from './row-proof.ts'
import { runHandler, type HandlerTools } from './run-handler.ts'
import { sourceOf, type DescribedSource } from '../verify/source.ts'

/** What a run of later attempts came to. */
export interface AttemptsReport {
  readonly applied: number
  /** Failed again, and will be tried again. */
  readonly deferred: number
  /** Wait for a person now. */
  readonly parked: number
}

export interface AttemptOptions extends HandlerTools {
  readonly database: Pick<DatabaseService, 'execute' | 'hasReported'>
  readonly keys: PayloadKeys
  /** The function's, which ends before the platform cuts it off. */
  readonly deadline: Deadline
  readonly counters?: Pick<Counters, 'add'>
  readonly sources: ReadonlyMap<string, DescribedSource>
}

// An attempt that is not done by then is somebody else's. Always before the function's own end.
const LONGEST_LEASE_MS = 30_000
// What an attempt leaves of its lease, for taking note of how it ended.
const NOTE_MS = 500
const LEAST_ATTEMPT_MS = 2_000

const HELD = 'WHERE id = $id AND outcome IS NULL AND next_attempt_at = $lease::timestamptz RETURNING id'
// Type and user may not have been readable before: a handler or a source that was mended reads them now.
const READ = 'type = $type, concerns = coalesce($concerns, concerns)'
const MARK = sql`
  WITH ${SUBJECT}
  UPDATE ${tables.webhook_events} SET outcome = $outcome, processed_at = now(), next_attempt_at = NULL, last_error = NULL, invalid_paths = NULL,
    type = $type, ${KEPT_UNLESS_ERASED} ${HELD}`
const NOTE = 'last_error = $code, invalid_paths = $invalidPaths::jsonb'
const DEFER = sql`UPDATE ${tables.webhook_events} SET next_attempt_at = now() + make_interval(secs => $retrySeconds::float8), ${NOTE}, ${READ} ${HELD}`
const PARK = sql`UPDATE ${tables.webhook_events} SET outcome = 'failed', next_attempt_at = NULL, ${NOTE}, ${READ} ${HELD}`

// What was read of it may be what the database refuses.
const PARK_BARE = sql`UPDATE ${tables.webhook_events} SET outcome = 'failed', next_attempt_at = NULL, last_error = $code ${HELD}`

/**
 * Tries again what is due, one event after the other, until nothing is due or the time is over. Each is first taken on
 * a lease, in a transaction of its own, so that one whose container is killed counts as an attempt and is due again when
 * the lease has ended. Runs at the same time take different events, and one run takes each event once.
 * @throws DatabaseUnavailableError
 */
export async function attemptDue(options: AttemptOptions): Promise<AttemptsReport> {
  const { deadline } = options
  const report = { applied: 0, deferred: 0, parked: 0 }
  const tried: string[] = []
  let leased = 0
  // An error that every event may meet: the next one tells.
  let unproven: Error | undefined
  while (deadline.remainingMs() > LEAST_ATTEMPT_MS) {
    const leaseMs = Math.min(LONGEST_LEASE_MS, deadline.remainingMs())
    const due = await leaseEvent({ leaseMs, tried }, { ...options, unproven })
    if (due === undefined) break
    tried.push(due.id)
    unproven = due.lease === undefined ? due.unproven : undefined
    if (due.lease === undefined) continue
    leased += 1
    const own = openDeadline({ remainingMs: leaseMs - NOTE_MS, reserveMs: 0 })
    const outcome = await attempt(due, { ...options, deadline: own }, options.deadline).finally(() => own.clear())
    if (outcome === 'lost') continue
    report[outcome] += 1
    options.counters?.add('events', due.source, outcome)
  }
  if (unproven !== undefined && leased === 0) throw unproven
  return report
}

type AttemptOutcome = 'applied' | 'deferred' | 'parked' | 'lost'

async function attempt(due: DueEvent, options: AttemptOptions, deadline: Deadline): Promise<AttemptOutcome> {
  const { database, logger } = options
  const { id, lease, attempts, source, externalId: eventId } = due
  let read: Pick<ReadDelivery, 'event' | 'concerns'> | undefined
  try {
    // One more than there may be: the run that had it last was cut off.
    if (attempts > MOST_ATTEMPTS) throw new ApplicationError('The last attempt never ended.', { code: 'attempts-exhausted', status: 500 })
    const delivery = readAgain(due, options)
    read = delivery
    if (delivery.fault !== undefined) throw delivery.fault
    return await database.execute('webhook.attempt', work => apply(delivery, { id, lease }, work, options), {
      ...UNDER_LOCK,
      deadline: options.deadline,
      wasCommitted: rowProof(() => id, 'done'),
    })
  } catch (error) {
    // What it was about, the next attempt finds out: the lease ends by itself.
    const ofDatabase = database.hasReported(error)
    if (ofDatabase && error instanceof DatabaseUnavailableError) throw error
    const parks = attempts >= MOST_ATTEMPTS || judgeFailure({ error, ofDatabase }, 'applying') === 'permanent'
    const type = read?.event.type ?? due.type
    logUnapplied({ source, eventId, type, attempts, failure: parks ? 'permanent' : 'transient', error }, logger)
    const { code, invalidPaths } = failureNote(error)
    const concerns = read?.concerns ?? due.concerns
    const facts = { id, lease, type, concerns, code, invalidPaths: invalidPaths === null ? null : JSON.stringify(invalidPaths) }
    const bind = parks ? facts : { ...facts, retrySeconds: untilNextMs(error, attempts) / 1000 }
    const how = { statement: parks ? PARK : DEFER, bind }
    const noted = await noteOrPark({ id, lease, concerns }, how, { ...options, deadline })
    if (noted === 'refused') {
      logger.error({ event: 'webhook.unsettled', source, eventId, type, code })
      return 'lost'
    }
    if (noted === 'ended') logger.warn({ event: 'webhook.erased', source, eventId, type, code })
    if (noted !== 'lost') return parks || noted !== 'noted' ? 'parked' : 'deferred'
    if (ofDatabase && error instanceof CommitUnknownError) return 'lost'
    const claim = { id, attempts }
    const retract = async (work: Work) => {
      const retracted = await retractClaim(claim, { lastError: code, invalidPaths }, work)
      if (retracted) await endIfErased({ id, concerns }, work)
      return retracted
    }
    const retracted = await database.execute('webhook.retract', retract, { ...UNDER_LOCK, deadline })
    return retracted ? 'parked' : 'lost'
  }
}

/** Reads an event from what is stored of it, under the id that it is stored with. */
function readAgain(due: DueEvent, { keys, sources }: AttemptOptions): ReadDelivery {
  const read = readDelivery(deliveryOf(due, keys), sourceOf(due.source, sources))
  const event = { ...read.event, id: due.externalId }
  return { ...read, event: { ...event, order: orderOf(event) } }
}

/**
 * Stores how an attempt ended, or parks the event where the database refuses to store that. `refused`: it refuses both, so
 * that the lease ends by itself.
 */
async function noteOrPark(
  { id, lease, concerns }: Pick<DueEvent, 'id' | 'lease' | 'concerns'>,
  how: { statement: Statement; bind: Readonly<Record<string, unknown>> },
  { database, deadline }: AttemptOptions,
): Promise<'noted' | 'ended' | 'lost' | 'parked' | 'refused'> {
  const isRefusal = (error: unknown) => database.hasReported(error) && refusalOf(error) !== undefined
  try {
    return await database.execute('webhook.note', work => note({ id, concerns }, how, work), { ...UNDER_LOCK, deadline })
  } catch (error) {
    if (!isRefusal(error)) throw error
    const bare = { statement: PARK_BARE, bind: { id, lease, code: failureNote(error).code } }
    return database
      .execute('webhook.note', work => note({ id, concerns }, bare, work), { ...UNDER_LOCK, deadline })
      .then(
        noted => (noted === 'noted' ? 'parked' : noted),
        (again: unknown) => {
          if (isRefusal(again)) return 'refused' as const
          throw again
        },
      )
  }
}

/** Stores how an attempt ended. `ended`: its user was erased, so this attempt was the last. `lost`: another run has the event. */
async function note(
  { id, concerns }: Pick<DueEvent, 'id' | 'concerns'>,
  { statement, bind }: { statement: Statement; bind: Readonly<Record<string, unknown>> },
  work: Work,
): Promise<'noted' | 'ended' | 'lost'> {
  const noted = await work.query(statement, { ...bind })
  if (noted.length === 0) return 'lost'
  return (await endIfErased({ id, concerns }, work)) ? 'ended' : 'noted'
}

async function apply(delivery: ReadDelivery, { id, lease }: { id: string; lease: string }, work: Work, tools: HandlerTools): Promise<AttemptOutcome> {
  const outcome = delivery.handler ? 'applied' : 'ignored'
  const held = await work.query(MARK, { id, lease, outcome, type: delivery.event.type, concerns: delivery.concerns })
  if (held.length === 0) return 'lost'
  const effect = await runHandler(delivery, work, tools)
  if (effect?.userId) await noteUser({ id, userId: effect.userId }, work)
  if (effect?.erased) await forgetPayload(id, work)
  return 'applied'
}

function deliveryOf({ source, externalId: id, body, headers, verdict, receivedAt }: DueEvent, keys: PayloadKeys): Delivery {
  if (body === null) throw new PayloadUnreadableError('payload-damaged')
  return { source, body: open(body, eventName({ source, id }), keys), headers: headers ?? {}, verdict: verdict ?? '', receivedAt }
}
