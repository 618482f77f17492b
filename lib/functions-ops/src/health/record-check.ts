import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { tables as runtimeTables } from '../../../functions-runtime/src/database/tables.ts'
import { byName } from './health-reply.ts'
import { statusOf, type Check } from './check.ts'
import { INBOX, type InboxFacts } from './metrics/fleet.ts'

/** What a recorded check learned from the database. */
export interface Recorded {
  readonly inbox: InboxFacts
  /** By name and outcome, what the fleet counted in the full minutes of the last interval, and since the last check. */
  readonly counted: Readonly<Record<string, number>>
  /** The check before, if there was one. */
  readonly last: { readonly status: string; readonly ageMs: number } | undefined
}

// Minutes that are over, to which no container adds any more: as many as pass between two checks, and those since the last
// check when that came late, or some were left out.
const MOST_INTERVALS = 3
const SINCE = sql`
  WITH last AS (SELECT status, checked_at FROM ${tables.health_checks} ORDER BY checked_at DESC LIMIT 1),
  counted AS (
    SELECT name || CASE name WHEN 'breaker-changes' THEN ' ' || label ELSE coalesce(' ' || nullif(outcome, ''), '') END AS key, sum(count)::float8 AS count
    FROM ${runtimeTables.operation_counters}
    WHERE minute >= least(
        date_trunc('minute', now()) - make_interval(mins => $minutes::int),
        greatest(date_trunc('minute', coalesce((SELECT checked_at FROM last), now())), date_trunc('minute', now()) - make_interval(mins => ${MOST_INTERVALS} * $minutes::int)))
      AND minute < date_trunc('minute', now())
    GROUP BY 1)
  SELECT (SELECT status FROM last) AS status, (SELECT (extract(epoch FROM now() - checked_at) * 1000)::float8 FROM last) AS "ageMs",
    coalesce((SELECT json_object_agg(key, count) FROM counted), '{}') AS counted`
const MINUTE_MS = 60_000
const INSERT = sql`INSERT INTO ${tables.health_checks} (status, checks, counted) VALUES ($status, $checks::jsonb, $counted::jsonb)`

interface Since {
  status: string | null
  ageMs: number | null
  counted: Record<string, number>
}

/** Records a check in one row, and reads what has happened in the fleet since the last one. */
export async function recordCheck(
  checks: readonly Check[],
  { database, everyMs }: { database: Pick<DatabaseService, 'execute'>; everyMs: number },
): Promise<Recorded> {
  return database.execute('health.record', async ({ query }) => {
    // Sent together, each waits for nothing but the wire.
    const [[since], [inbox]] = await Promise.all([
      query<Since>(SINCE, { minutes: Math.max(1, Math.ceil(everyMs / MINUTE_MS)) }),
      query<InboxFacts>(INBOX),
    ])
    if (since === undefined || inbox === undefined) throw new Error('a statement without a condition gave no row')
    const { status, ageMs, counted } = since
    await query(INSERT, { status: statusOf(checks), checks: JSON.stringify(byName(checks)), counted: JSON.stringify(counted) })
    return { inbox, counted, last: status === null || ageMs === null ? undefined : { status, ageMs } }
  })
}
