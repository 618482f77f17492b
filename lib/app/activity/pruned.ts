import type { DeclaredTable } from '../../functions-ops/src/maintenance/pruned-table.ts'

export const prunedActivities: DeclaredTable = {
  name: 'activities',
  table: 'activities',
  since: 'created_at',
  keepDays: { setting: 'ACTIVITY_RETENTION_DAYS', fallback: 90 },
}
