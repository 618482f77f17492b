import type { Eraser } from '../../functions-ops/src/maintenance/eraser.ts'
import { sql, type Statement } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { tables as inboxTables } from '../../webhook-inbox/src/tables.ts'
import type { DatabaseService, ExecuteOptions, Work } from '../../functions-runtime/src/database/service.ts'
import type { Logger } from '../../functions-runtime/src/telemetry/logger.ts'
import { FORGET } from '../../webhook-inbox/src/inbox/forget.ts'
import { refusalOf } from '../../webhook-inbox/src/inbox/failure.ts'

// A processed event loses what it said. A parked one ends: there is nothing left to look at. A pending one is due at once,
// since a payment counts whoever made it; that attempt is its last one. Rows that another session has locked are skipped
// and found by maintenance: waiting for them here could deadlock.
const eraseEventsOf = (users: Statement) => sql`
  WITH gone AS MATERIALIZED (${users}),
  found AS MATERIALIZED (
    SELECT id, outcome FROM ${inboxTables.webhook_events} WHERE id IN (
      SELECT event.id FROM gone JOIN ${inboxTables.webhook_events} AS event ON event.user_id = gone.id
      UNION SELECT event.id FROM gone JOIN ${inboxTables.webhook_events} AS event ON event.concerns = gone.external_id)
    FOR UPDATE SKIP LOCKED),
  hurried AS (
    UPDATE ${inboxTables.webhook_events} SET next_attempt_at = now() WHERE id IN (SELECT id FROM found WHERE outcome IS NULL) AND next_attempt_at > now()),
  ended AS (
    UPDATE ${inboxTables.webhook_events} SET outcome = CASE outcome WHEN 'failed' THEN 'ignored' ELSE outcome END, processed_at = coalesce(processed_at, now()), ${FORGET}
    WHERE id IN (SELECT id FROM found WHERE outcome IS NOT NULL) RETURNING 1)
  SELECT count(*)::int AS erased FROM ended`
const OF_ONE = eraseEventsOf(sql`SELECT id, external_id FROM ${tables.users} WHERE id = $id`)
const OF_SEVERAL = eraseEventsOf(sql`SELECT id, external_id FROM ${tables.users} WHERE id = ANY ($ids::uuid[])`)

const DUE = sql`
  SELECT id FROM ${tables.users} WHERE erased_at IS NOT NULL AND events_due_at < $before::timestamptz AND id <> ALL ($refused::uuid[])
  ORDER BY events_due_at LIMIT $most FOR NO KEY UPDATE SKIP LOCKED`
// A transaction that was open while the user was erased may still commit an event about that user. None is open for so long.
const IN_FLIGHT = "interval '15 minutes'"
const SETTLE = sql`
  UPDATE ${tables.users} SET events_due_at = CASE WHEN erased_at > now() - ${IN_FLIGHT}
      OR EXISTS (SELECT FROM ${inboxTables.webhook_events} WHERE user_id = users.id)
      OR EXISTS (SELECT FROM ${inboxTables.webhook_events} WHERE concerns = users.external_id) THEN now() END
  WHERE id = ANY ($ids::uuid[]) RETURNING events_due_at IS NOT NULL AND erased_at <= now() - ${IN_FLIGHT} AS overdue`
// Less than this is not enough for a batch.
const LEAST_BATCH_MS = 600
// Users.
const BATCH = 500

/** Erases the events of one user, in the transaction that erases the user. */
export async function eraseEvents(id: string, { query }: Pick<Work, 'query'>): Promise<void> {
  await query(OF_ONE, { id })
}

/**
 * Erases the events that could not be erased together with their user: rows that were locked, or that a transaction stored
 * meanwhile. Looks again until none is left; resolves to how many events it erased. An event that the database refuses to
 * change does not keep those of other users.
 * @throws the database's refusal, after everything else is done.
 */
export async function eraseDueEvents(
  database: Pick<DatabaseService, 'execute' | 'hasReported'>,
  { deadline, logger }: Required<Pick<ExecuteOptions, 'deadline'>> & { logger: Pick<Logger, 'warn'> },
): Promise<number> {
  let erased = 0
  let overdue = 0
  let most = BATCH
  let failure: Error | undefined
  const refused: string[] = []
  const [start] = await database.execute('events.erase.due', ({ query }) => query<{ before: string }>('SELECT now()::text AS before'), {
    deadline,
    mode: 'read',
  })
  while (deadline.remainingMs() > LEAST_BATCH_MS) {
    let ids: string[] = []
    const work = async ({ query }: Pick<Work, 'query'>) => {
      ids = (await query<{ id: string }>(DUE, { before: start?.before, refused, most })).map(({ id }) => id)
      if (ids.length === 0) return undefined
      const [[done], settled] = await Promise.all([query<{ erased: number }>(OF_SEVERAL, { ids }), query<{ overdue: boolean }>(SETTLE, { ids })])
      return { erased: done?.erased ?? 0, overdue: settled.filter(user => user.overdue).length }
    }
    try {
      const batch = await database.execute('events.erase', work, { deadline })
      if (batch === undefined) break
      erased += batch.erased
      overdue += batch.overdue
    } catch (error) {
      if (!database.hasReported(error) || refusalOf(error) === undefined) throw error
      if (most === 1 && ids.length === 0) throw error
      // One by one, to find out whose it is.
      if (most === 1) refused.push(...ids)
      most = 1
      failure = error as Error
    }
  }
  // Another session holds them, or they are still to be tried.
  if (overdue > 0) logger.warn({ event: 'maintenance.erasure.overdue', users: overdue })
  if (refused.length > 0 && failure !== undefined) throw failure
  return erased
}

/** What maintenance does of it. */
export const eventEraser: Eraser = {
  name: 'events',
  due: { name: 'dueEventErasures', table: 'users', since: 'events_due_at', only: 'erased_at IS NOT NULL', keepMs: 0 },
  beforeAttempts: true,
  erase: eraseDueEvents,
}
