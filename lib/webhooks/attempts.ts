import type { PayloadKeys } from '../config/settings/payload.ts'
import { CommitUnknownError, DatabaseUnavailableError } from '../resilient-sequelize/src/errors/errors.ts'
import type { DatabaseService, Work } from '../database/service.ts'
import { sql, tables, type Statement } from '../database/sql.ts'
import { ApplicationError } from '../errors.ts'
import { openDeadline, type Deadline } from '../invocation/src/deadline.ts'
import type { Counters } from '../telemetry/counters.ts'
import { MOST_ATTEMPTS } from './attempt-times.ts'
import { endIfErased, forgetPayload, noteUser, retractClaim } from './claim.ts'
import { readDelivery, type Delivery, type ReadDelivery } from './delivery.ts'
import { failureNote, untilNextMs } from './failure-note.ts'
import { judgeFailure } from './failure.ts'
import { logUnapplied } from './log-unapplied.ts'
import { eventName, open, PayloadUnreadableError } from './payload.ts'
import { runHandler, type HandlerTools } from './run-handler.ts'
import { sourceOf, type DescribedSource } from './source.ts'
import { describedSources } from './sources.ts'

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
  /** Default: our own. */
  readonly sources?: ReadonlyMap<string, DescribedSource>
}

interface DueEvent {
  id: string
  source: string
  externalId: string
  type: string
  concerns: string | null
  receivedAt: Date
  attempts: number
  body: Buffer | null
  headers: Record<string, string> | null
  verdict: string | null
  /** When the lease ends: a token that nobody else has. */
  lease: string
}

// An attempt that is not done by then is somebody else's. Always before the function's own end.
const LONGEST_LEASE_MS = 30_000
// What an attempt leaves of its lease, for taking note of how it ended.
const NOTE_MS = 500
const LEAST_ATTEMPT_MS = 2_000

// An event that a handler puts off for no time at all is left for the next run: this one would spend all its attempts.
const TAKE = sql`
  UPDATE ${tables.webhook_events} SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $leaseSeconds::float8)
  WHERE id = (SELECT id FROM ${tables.webhook_events} WHERE next_attempt_at <= now() AND id <> ALL ($tried::uuid[])
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, source, external_id AS "externalId", type, concerns, received_at AS "receivedAt", attempts, body, headers, verdict,
    next_attempt_at::text AS lease`
const HELD = 'WHERE id = $id AND outcome IS NULL AND next_attempt_at = $lease::timestamptz RETURNING id'
// Type and user may not have been readable before: a handler or a source that was mended reads them now.
const READ = 'type = $type, concerns = coalesce($concerns, concerns)'
const MARK = sql`UPDATE ${tables.webhook_events} SET outcome = $outcome, processed_at = now(), next_attempt_at = NULL, last_error = NULL, invalid_paths = NULL, ${READ} ${HELD}`
const NOTE = 'last_error = $code, invalid_paths = $invalidPaths::jsonb'
const DEFER = sql`UPDATE ${tables.webhook_events} SET next_attempt_at = now() + make_interval(secs => $retrySeconds::float8), ${NOTE}, ${READ} ${HELD}`
const PARK = sql`UPDATE ${tables.webhook_events} SET outcome = 'failed', next_attempt_at = NULL, ${NOTE}, ${READ} ${HELD}`

/**
 * Tries again what is due, one event after the other, until nothing is due or the time is over. Each is first taken on
 * a lease, in a transaction of its own, so that one whose container is killed counts as an attempt and is due again when
 * the lease has ended. Runs at the same time take different events, and one run takes each event once.
 * @throws DatabaseUnavailableError
 */
export async function attemptDue(options: AttemptOptions): Promise<AttemptsReport> {
  const { database, deadline } = options
  const report = { applied: 0, deferred: 0, parked: 0 }
  const tried: string[] = []
  while (deadline.remainingMs() > LEAST_ATTEMPT_MS) {
    const leaseMs = Math.min(LONGEST_LEASE_MS, deadline.remainingMs())
    const bind = { leaseSeconds: leaseMs / 1000, tried }
    const [due] = await database.execute('webhook.lease', ({ query }) => query<DueEvent>(TAKE, bind), { deadline })
    if (due === undefined) break
    tried.push(due.id)
    const own = openDeadline({ remainingMs: leaseMs - NOTE_MS, reserveMs: 0 })
    const outcome = await attempt(due, { ...options, deadline: own }, options.deadline).finally(() => own.clear())
    if (outcome === 'lost') continue
    report[outcome] += 1
    options.counters?.add('events', due.source, outcome)
  }
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
      deadline: options.deadline,
      wasCommitted: async ({ WebhookEvent }) => (await WebhookEvent.count({ where: { id, outcome: ['applied', 'ignored'] } })) > 0,
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
    const noted = { id, lease, type, concerns, code, invalidPaths: invalidPaths === null ? null : JSON.stringify(invalidPaths) }
    const bind = parks ? noted : { ...noted, retrySeconds: untilNextMs(error, attempts) / 1000 }
    const held = await database.execute('webhook.note', work => note({ id, concerns }, { statement: parks ? PARK : DEFER, bind }, work), { deadline })
    if (held) return parks ? 'parked' : 'deferred'
    if (ofDatabase && error instanceof CommitUnknownError) return 'lost'
    const claim = { id, attempts }
    const retracted = await database.execute('webhook.retract', work => retractClaim(claim, { lastError: code, invalidPaths }, work), { deadline })
    return retracted ? 'parked' : 'lost'
  }
}

/** Reads an event from what is stored of it, under the id that it is stored with. */
function readAgain(due: DueEvent, { keys, sources = describedSources }: AttemptOptions): ReadDelivery {
  const read = readDelivery(deliveryOf(due, keys), sourceOf(due.source, sources))
  return { ...read, event: { ...read.event, id: due.externalId } }
}

/** Takes note of how an attempt ended, and tells whether it still was ours. */
async function note(
  { id, concerns }: Pick<DueEvent, 'id' | 'concerns'>,
  { statement, bind }: { statement: Statement; bind: Readonly<Record<string, unknown>> },
  work: Work,
): Promise<boolean> {
  const noted = await work.query(statement, { ...bind })
  if (noted.length > 0 && statement === PARK) await endIfErased({ id, concerns }, work)
  return noted.length > 0
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
