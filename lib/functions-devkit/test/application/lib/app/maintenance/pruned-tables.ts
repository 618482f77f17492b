import type { DeclaredTable } from '../../../../../../functions-ops/src/maintenance/pruned-table.ts'

/** What the external ids of users begin with who do not stay. */
export const PASSING_MARK = 'passing:'

export const prunedTables: readonly DeclaredTable[] = [
  { name: 'activities', table: 'activities', since: 'created_at', keepDays: { setting: 'ACTIVITY_RETENTION_DAYS', fallback: 90 } },
  { name: 'passingUsers', table: 'users', since: 'erased_at', only: `external_id LIKE '${PASSING_MARK}%'`, keepDays: 1 },
]
