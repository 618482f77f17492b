import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import type { AlertMemory } from './memory.ts'

// Half of the time, at most, is for a database that is away; then somebody else remembers.
const LONGEST_MS = 1_500
const SETTLE = sql`
  WITH raised AS (
    INSERT INTO ${tables.alerts_raised} (kind) SELECT kind FROM unnest($raised::text[]) AS kind ORDER BY 1 ON CONFLICT DO NOTHING RETURNING kind),
  cleared AS (DELETE FROM ${tables.alerts_raised} WHERE kind = ANY ($cleared::text[]) RETURNING kind)
  SELECT kind, true AS raised FROM raised UNION ALL SELECT kind, false FROM cleared`

/** What all containers remember together, as long as the database is there. */
export function createDatabaseMemory(database: Pick<DatabaseService, 'execute'>): AlertMemory {
  return {
    async settle({ raised, cleared }) {
      if (raised.length + cleared.length === 0) return { raised, cleared }
      const deadline = openDeadline({ remainingMs: Math.min(LONGEST_MS, (currentDeadline()?.remainingMs() ?? LONGEST_MS) / 2), reserveMs: 0 })
      const rows = await database
        .execute('alerts.settle', ({ query }) => query<{ kind: string; raised: boolean }>(SETTLE, { raised, cleared }), { deadline })
        .finally(() => deadline.clear())
      const kinds = (wanted: boolean) => rows.filter(row => row.raised === wanted).map(({ kind }) => kind)
      return { raised: kinds(true), cleared: kinds(false) }
    },
  }
}
