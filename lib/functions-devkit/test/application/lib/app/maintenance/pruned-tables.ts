import { DAY_MS } from '../../../../../../functions-ops/src/maintenance/package-tables.ts'
import type { PrunedTable } from '../../../../../../functions-ops/src/maintenance/pruned-table.ts'

/** What the external ids of users begin with who do not stay. */
export const PASSING_MARK = 'passing:'

export function prunedTables({ activityDays }: { activityDays: number }): readonly PrunedTable[] {
  return [
    { name: 'activities', table: 'activities', since: 'created_at', keepMs: activityDays * DAY_MS },
    { name: 'passingUsers', table: 'users', since: 'erased_at', only: `external_id LIKE '${PASSING_MARK}%'`, keepMs: DAY_MS },
  ]
}
