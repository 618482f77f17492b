import type { DeclaredTable } from '../../functions-ops/src/maintenance/pruned-table.ts'

/** A request can be repeated for one day. */
export const prunedKeys: DeclaredTable = { name: 'idempotencyKeys', table: 'idempotency_keys', since: 'created_at', keepDays: 1 }
