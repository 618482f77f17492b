import type { Eraser } from '../../../../../../functions-ops/src/maintenance/eraser.ts'
import { sql } from '../../../../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'

const ERASE = sql`
  WITH due AS (SELECT id FROM ${tables.users} WHERE activities_due_at IS NOT NULL FOR UPDATE),
  gone AS (DELETE FROM ${tables.activities} WHERE user_id IN (SELECT id FROM due) RETURNING id),
  done AS (UPDATE ${tables.users} SET activities_due_at = NULL WHERE id IN (SELECT id FROM due))
  SELECT count(*)::int AS count FROM gone`

export const erasers: readonly Eraser[] = [
  {
    name: 'activities',
    due: { name: 'dueErasures', table: 'users', since: 'activities_due_at', keepMs: 0 },
    async erase(database, { deadline }) {
      const rows = await database.execute('activity.erase', ({ query }) => query<{ count: number }>(ERASE), { deadline })
      return rows[0]?.count ?? 0
    },
  },
]
