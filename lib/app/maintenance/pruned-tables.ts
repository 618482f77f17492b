import { DAY_MS } from '../../functions-ops/src/maintenance/package-tables.ts'
import type { PrunedTable } from '../../functions-ops/src/maintenance/pruned-table.ts'
import type { ActivityRetention } from '../settings/retention.ts'
import { SMOKE_MARK } from '../users/smoke-mark.ts'

/**
 * The tables of this application that are pruned, each with its line. No other table refers to one of these, but for the few
 * rows of one that `only` names: a batch then takes no lock but those on its own rows.
 */
export function prunedTables({ activityDays }: ActivityRetention): readonly PrunedTable[] {
  return [
    { name: 'activities', table: 'activities', since: 'created_at', keepMs: activityDays * DAY_MS },
    // For so long a request can be repeated.
    { name: 'idempotencyKeys', table: 'idempotency_keys', since: 'created_at', keepMs: DAY_MS },
    // Nobody is kept from coming back by these.
    { name: 'smokeUsers', table: 'users', since: 'erased_at', only: `external_id LIKE '${SMOKE_MARK}%'`, keepMs: DAY_MS },
  ]
}

/** The tables of which no row is deleted by its age. A test fails when a table is neither here nor pruned. */
export const keptTables: readonly string[] = ['balances', 'transactions', 'users']
