import type { DatabaseService } from '../database/service.ts'
import { currentDeadline } from '../resilience/deadline-scope.ts'

export interface PruneResult {
  deleted: number
  /** Whether time ran out before everything old enough was gone. */
  unfinished: boolean
}

const BATCH = 1_000
// A batch is not begun with less time than this left.
const BATCH_MS = 2_000
const DAY_MS = 24 * 60 * 60 * 1000

/** Deletes processed events older than the retention, batch by batch, each in a transaction of its own. */
export async function pruneEvents({
  database,
  retentionDays,
  now = Date.now,
}: {
  database: DatabaseService
  retentionDays: number
  now?: () => number
}): Promise<PruneResult> {
  const before = new Date(now() - retentionDays * DAY_MS).toISOString()
  let deleted = 0
  for (;;) {
    const rows = await database.execute('webhook.prune', ({ query }) =>
      query(
        `DELETE FROM webhook_events WHERE id IN (
           SELECT id FROM webhook_events WHERE processed_at < $before ORDER BY processed_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
         RETURNING id`,
        { before },
      ),
    )
    deleted += rows.length
    if (rows.length < BATCH) return { deleted, unfinished: false }
    if ((currentDeadline()?.remainingMs() ?? Number.POSITIVE_INFINITY) < BATCH_MS) return { deleted, unfinished: true }
  }
}
