import { tablesNamed } from '../../functions-runtime/src/database/sql.ts'

/** The tables of this application, for statements. */
export const tables = tablesNamed(
  // One line for each table.
  'activities',
  'balances',
  'idempotency_keys',
  'transactions',
  'users',
)
