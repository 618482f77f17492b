import { sql, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import type { EventOutcome } from './outcome.ts'
import type { Work } from '../../../functions-runtime/src/database/service.ts'
import { FORGET } from './forget.ts'
import { lockUser } from './user-lock.ts'
import { bodyHash, type ReadDelivery } from './delivery.ts'
import { eventName, seal } from './payload.ts'

/** What is known of an event that was there before. */
export interface KnownEvent {
  readonly id: string
  /** None while it waits for a later attempt. */
  readonly outcome: EventOutcome | null
  /** Whether the body is another than the one that came first. */
  readonly otherBody: boolean
}

export type Claim =
  /** `receivedAt`: when the event was first received, by the clock of the database. */
  { readonly outcome: 'claimed'; readonly id: string; readonly receivedAt: Date } | { readonly outcome: 'duplicate'; readonly known: KnownEvent }

/** The row that an event is stored as. */
export interface EventEntry {
  readonly id: string
  readonly delivery: ReadDelivery
  readonly keys: PayloadKeys
}

/** How an event stands that was not applied at once. */
export interface Unapplied {
  /** Null when it is to be tried again, `failed` when a person has to look at it. */
  readonly outcome: 'failed' | null
  readonly lastError: string
  /** What of its content does not fit, if that was the error. */
  readonly invalidPaths?: readonly string[] | null
  /** Until the next attempt, in ms; null for none. */
  readonly retryInMs: number | null
}

// Whether the user whom the event is about was erased: then the row keeps nothing that it does not need for an attempt.
const ERASED = (name: Statement | string) => sql`SELECT EXISTS (SELECT FROM ${tables.webhook_erased} WHERE name = ${name}) AS erased`
const OF_ROW = ERASED(sql`coalesce($concerns, (SELECT concerns FROM ${tables.webhook_events} WHERE id = $id))`)
const IS_ERASED = '(SELECT erased FROM subject)'
const GONE = `$processed::boolean AND ${IS_ERASED}`

const INSERT = sql`
  WITH subject AS MATERIALIZED (${ERASED('$concerns::text')})
  INSERT INTO ${tables.webhook_events} (id, source, external_id, type, received_at, attempts, outcome, processed_at, next_attempt_at, last_error,
    body, headers, verdict, body_hash, replay_guard, concerns, invalid_paths)
  VALUES ($id, $source, $externalId, $type, least($receivedAt::timestamptz, now()), 1, $outcome, CASE WHEN $processed::boolean THEN now() END,
    now() + make_interval(secs => CASE WHEN ${IS_ERASED} THEN 0 * $retryIn::float8 ELSE $retryIn::float8 END), $lastError,
    CASE WHEN ${GONE} THEN NULL ELSE $body::bytea END, CASE WHEN ${GONE} THEN NULL ELSE $headers::jsonb END, $verdict, $hash::bytea,
    CASE WHEN $guarded::boolean THEN $hash::bytea END, CASE WHEN ${GONE} THEN NULL ELSE $concerns::text END, $invalidPaths::jsonb)
  ON CONFLICT DO NOTHING
  RETURNING received_at AS "receivedAt"`
const KNOWN = sql`
  SELECT id, outcome, body_hash <> $hash::bytea IS TRUE AS "otherBody" FROM ${tables.webhook_events}
  WHERE source = $source AND (external_id = $externalId OR ($guarded::boolean AND replay_guard = $hash::bytea))
  ORDER BY external_id = $externalId DESC LIMIT 1`
/** In SQL: drops what a processed row said when its user was erased; with the table expression `SUBJECT` before it. */
export const KEPT_UNLESS_ERASED = `
  body = CASE WHEN ${IS_ERASED} THEN NULL ELSE body END, headers = CASE WHEN ${IS_ERASED} THEN NULL ELSE headers END,
  concerns = CASE WHEN ${IS_ERASED} THEN NULL ELSE coalesce($concerns, concerns) END`
export const SUBJECT = sql`subject AS MATERIALIZED (${OF_ROW})`

// Type and user may not have been readable when it was parked.
const TAKE_UP = sql`
  WITH ${SUBJECT}
  UPDATE ${tables.webhook_events} SET outcome = $outcome, processed_at = now(), attempts = attempts + 1, last_error = NULL, invalid_paths = NULL,
    type = $type, ${KEPT_UNLESS_ERASED}
  WHERE id = $id AND outcome = 'failed' RETURNING received_at AS "receivedAt"`

const DEFER_PARKED = sql`
  UPDATE ${tables.webhook_events} SET outcome = NULL, attempts = 1, next_attempt_at = now() + make_interval(secs => $retryIn::float8),
    last_error = $lastError, invalid_paths = NULL
  WHERE id = $id AND outcome = 'failed' RETURNING received_at AS "receivedAt"`

const RETRACT = sql`
  UPDATE ${tables.webhook_events} SET outcome = 'failed', processed_at = NULL, next_attempt_at = NULL, last_error = $lastError, invalid_paths = $invalidPaths::jsonb
  WHERE id = $id AND outcome IN ('applied', 'ignored') AND coalesce(attempts = $attempts::int, true) RETURNING id`
const END_IF_ERASED = sql`
  UPDATE ${tables.webhook_events} SET outcome = 'ignored', processed_at = now(), next_attempt_at = NULL, ${FORGET}
  WHERE id = $id AND processed_at IS NULL AND EXISTS (SELECT FROM ${tables.webhook_erased} WHERE name = $concerns) RETURNING id`
// The user may have been erased since the handler found that user.
const NOTE_USER = sql`
  WITH subject AS MATERIALIZED (SELECT EXISTS (SELECT FROM ${tables.webhook_erased} WHERE id = $userId) AS erased)
  UPDATE ${tables.webhook_events} SET user_id = CASE WHEN ${IS_ERASED} THEN NULL ELSE $userId::uuid END,
    body = CASE WHEN ${IS_ERASED} THEN NULL ELSE body END, headers = CASE WHEN ${IS_ERASED} THEN NULL ELSE headers END,
    concerns = CASE WHEN ${IS_ERASED} THEN NULL ELSE concerns END
  WHERE id = $id`

/**
 * Claims an event for this transaction: whoever inserts first has it, and a second insert waits until the first
 * transaction has ended one way or the other. The row says already what it will be when the transaction commits: nobody
 * sees it before. With `retryFailed` the same delivery of an event that is parked takes that up again.
 */
export async function claimEvent(
  entry: EventEntry,
  { query }: Pick<Work, 'query'>,
  { retryFailed = false }: { retryFailed?: boolean } = {},
): Promise<Claim> {
  const outcome = entry.delivery.handler ? 'applied' : 'ignored'
  const claim = await insert(entry, { outcome, lastError: null, retryInMs: null }, query)
  if (claim.outcome === 'claimed' || !retryFailed || !isSameParked(claim.known, entry.delivery)) return claim
  const { id } = claim.known
  const { event, concerns } = entry.delivery
  const [taken] = await query<Received>(TAKE_UP, { id, outcome, type: event.type, concerns })
  return taken === undefined ? claim : { outcome: 'claimed', id, receivedAt: taken.receivedAt }
}

/**
 * Stores an event that could not be applied, unless it is known already. With `deferParked` the same delivery of an event
 * that is parked makes it pending again, as if it came for the first time.
 */
export async function storeUnapplied(
  entry: EventEntry,
  unapplied: Unapplied,
  work: Pick<Work, 'query'>,
  { deferParked = false, claimedAs }: { deferParked?: boolean; claimedAs?: string | undefined } = {},
): Promise<Claim> {
  const claim = await insert(entry, unapplied, work.query)
  if (claim.outcome === 'duplicate' && claim.known.id === claimedAs && (await retractClaim({ id: claimedAs }, unapplied, work))) {
    await endIfErased({ id: claimedAs, concerns: entry.delivery.concerns }, work)
    return { outcome: 'duplicate', known: { ...claim.known, outcome: 'failed' } }
  }
  if (claim.outcome === 'duplicate' && deferParked && unapplied.retryInMs !== null && isSameParked(claim.known, entry.delivery)) {
    const bind = { id: claim.known.id, retryIn: unapplied.retryInMs / 1000, lastError: unapplied.lastError }
    const [deferred] = await work.query<Received>(DEFER_PARKED, bind)
    return deferred === undefined ? claim : { outcome: 'claimed', id: claim.known.id, receivedAt: deferred.receivedAt }
  }
  const id = claim.outcome === 'claimed' ? claim.id : claim.known.id
  if (unapplied.outcome === 'failed') await endIfErased({ id, concerns: entry.delivery.concerns }, work)
  return claim
}

/**
 * Parks an event whose handler has committed the transaction that claimed it, and then failed. Never to be tried again by
 * itself: a part of it has been applied.
 */
export async function retractClaim(
  { id, attempts = null }: { id: string; attempts?: number | null },
  { lastError, invalidPaths = null }: Pick<Unapplied, 'lastError' | 'invalidPaths'>,
  { query }: Pick<Work, 'query'>,
): Promise<boolean> {
  const bind = { id, attempts, lastError, invalidPaths: invalidPaths === null ? null : JSON.stringify(invalidPaths) }
  return (await query(RETRACT, bind)).length === 1
}

/** Notes whom a claimed event concerns, in the transaction that claimed it. */
export async function noteUser({ id, userId }: { id: string; userId: string }, { query }: Pick<Work, 'query'>): Promise<void> {
  await query(NOTE_USER, { id, userId })
}

/**
 * Ends an event that could not be applied, and drops what it said, if the user it is about was erased. Resolves to whether
 * it did. In the transaction that stored the failure; waits for one that erases that user at the same time.
 */
export async function endIfErased({ id, concerns }: { id: string; concerns: string | null }, work: Pick<Work, 'query'>): Promise<boolean> {
  if (concerns === null) return false
  await lockUser(concerns, work)
  return (await work.query(END_IF_ERASED, { id, concerns })).length === 1
}

/** Takes away what a claimed event said, in the transaction that claimed it. */
export async function forgetPayload(id: string, { query }: Pick<Work, 'query'>): Promise<void> {
  await query(sql`UPDATE ${tables.webhook_events} SET ${FORGET} WHERE id = $id`, { id })
}

function isSameParked({ outcome, otherBody }: KnownEvent, { bodyVaries }: ReadDelivery): boolean {
  return outcome === 'failed' && (!otherBody || bodyVaries)
}

interface Received {
  receivedAt: Date
}

type Stand = Omit<Unapplied, 'outcome' | 'lastError'> & { outcome: EventOutcome | null; lastError: string | null }

async function insert({ id, delivery, keys }: EventEntry, stand: Stand, query: Work['query']): Promise<Claim> {
  const { event, body, headers, verdict, bufferedAt, guarded, concerns } = delivery
  const hash = bodyHash(delivery)
  const key = { source: event.source, externalId: event.id, hash, guarded }
  const [inserted] = await query<Received>(INSERT, {
    ...key,
    id,
    type: event.type,
    receivedAt: bufferedAt?.toISOString() ?? null,
    outcome: stand.outcome,
    processed: stand.outcome === 'applied' || stand.outcome === 'ignored',
    retryIn: stand.retryInMs === null ? null : stand.retryInMs / 1000,
    lastError: stand.lastError,
    body: seal(body, eventName(event), keys),
    headers: JSON.stringify(headers),
    verdict,
    concerns,
    invalidPaths: stand.invalidPaths ? JSON.stringify(stand.invalidPaths) : null,
  })
  if (inserted !== undefined) return { outcome: 'claimed', id, receivedAt: inserted.receivedAt }
  const [known] = await query<KnownEvent>(KNOWN, key)
  // Somebody has pruned it between the two statements: for this delivery it has been there all the same.
  return { outcome: 'duplicate', known: known ?? { id, outcome: 'applied', otherBody: false } }
}
