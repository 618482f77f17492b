import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { failureNote } from './failure-note.ts'
import { refusalOf } from './failure.ts'

/** A stored event that is due, on a lease. */
export interface DueEvent {
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

/** An event that the database refuses to lease. */
export interface UnleasedEvent {
  readonly id: string
  readonly lease?: undefined
  /** The error, unless it is certain that the event is to blame and not the database's setup, which would refuse every event. */
  readonly unproven?: Error | undefined
}

type RefusedEvent = Pick<DueEvent, 'id' | 'source' | 'externalId' | 'type'>

export interface LeaseOptions {
  readonly database: Pick<DatabaseService, 'execute' | 'hasReported'>
  readonly deadline: Deadline
  readonly logger: Pick<Logger, 'error'>
  /** Of the event before, see `UnleasedEvent`: after one of these a second one is thrown. */
  readonly unproven?: Error | undefined
}

// An event that a handler puts off for no time at all is left for the next run: this one would spend all its attempts.
const TAKE = sql`
  UPDATE ${tables.webhook_events} SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $leaseSeconds::float8)
  WHERE id = (SELECT id FROM ${tables.webhook_events} WHERE next_attempt_at <= now() AND id <> ALL ($tried::uuid[])
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, source, external_id AS "externalId", type, concerns, received_at AS "receivedAt", attempts, body, headers, verdict,
    next_attempt_at::text AS lease`
const NEXT = sql`
  SELECT id, source, external_id AS "externalId", type FROM ${tables.webhook_events} WHERE next_attempt_at <= now() AND id <> ALL ($tried::uuid[])
  ORDER BY next_attempt_at LIMIT 1`

/**
 * Takes the next due event on a lease. One that the database refuses to lease is given without a lease, so that the next
 * one is tried.
 */
export async function leaseEvent(
  { leaseMs, tried }: { leaseMs: number; tried: readonly string[] },
  { database, deadline, logger, unproven }: LeaseOptions,
): Promise<DueEvent | UnleasedEvent | undefined> {
  try {
    const bind = { leaseSeconds: leaseMs / 1000, tried }
    const [due] = await database.execute('webhook.lease', ({ query }) => query<DueEvent>(TAKE, bind), { deadline })
    return due
  } catch (error) {
    const refusal = database.hasReported(error) ? refusalOf(error) : undefined
    if (refusal === undefined || (refusal === 'setup' && unproven !== undefined)) throw error
    const [refused] = await database.execute('webhook.lease', ({ query }) => query<RefusedEvent>(NEXT, { tried }), { deadline, mode: 'read' })
    if (refused === undefined) throw error
    const { source, externalId: eventId, type } = refused
    logger.error({ event: 'webhook.unsettled', source, eventId, type, code: failureNote(error).code })
    return refusal === 'event' ? { id: refused.id } : { id: refused.id, unproven: error as Error }
  }
}
