import type { DeclaredTable } from '../../functions-ops/src/maintenance/pruned-table.ts'

/**
 * What the external id of a user begins with that was made to try a deployment. Such a user is erased at once, and the
 * tombstone needs to keep nobody from coming back: maintenance deletes it.
 */
export const SMOKE_MARK = 'smoke-test:'

export const prunedSmokeUsers: DeclaredTable = {
  name: 'smokeUsers',
  table: 'users',
  since: 'erased_at',
  only: `external_id LIKE '${SMOKE_MARK}%'`,
  keepDays: 1,
}
