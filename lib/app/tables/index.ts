// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import { activities } from './activities.ts'
import { balances } from './balances.ts'
import { idempotencyKeys } from './idempotency-keys.ts'
import { transactions } from './transactions.ts'
import { users } from './users.ts'
import { webhookEvents } from './webhook-events.ts'

export const declaredTables = {
  activities,
  balances,
  idempotencyKeys,
  transactions,
  users,
  webhookEvents,
}
