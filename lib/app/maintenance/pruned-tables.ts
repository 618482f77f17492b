import type { DeclaredTable } from '../../functions-ops/src/maintenance/pruned-table.ts'
import { prunedActivities } from '../activity/pruned.ts'
import { prunedKeys } from '../idempotency/pruned.ts'
import { prunedSmokeUsers } from '../users/smoke-mark.ts'

/**
 * The tables of this application whose old rows maintenance deletes. No other table refers to one of these, but for the few rows
 * of one that `only` names: a batch then takes no lock but those on its own rows.
 */
export const prunedTables: readonly DeclaredTable[] = [
  // One line for each table.
  prunedActivities,
  prunedKeys,
  prunedSmokeUsers,
]

/** The tables of which no row is deleted by its age. A test fails when a table is neither here nor pruned. */
export const keptTables: readonly string[] = [
  // One line for each table.
  'balances',
  'transactions',
  'users',
]
