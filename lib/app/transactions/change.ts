import { sql, type Statement } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { TransactionStatus } from './transaction-status.ts'
import type { Work } from '../../functions-runtime/src/database/service.ts'
import { moveBalances } from './balances.ts'
import { stepsTo, supersedesInSql } from './state.ts'

/** Which transaction is meant: by the sender's name for it, or as one of a user's. */
export type Which = { readonly externalId: string } | { readonly id: string; readonly userId: string }

/** What is told of it. A report is dated and repeats the amount; a caller of the API asks for a step, which happens now. */
export type Change =
  | {
      readonly by: 'report'
      readonly status: TransactionStatus
      readonly occurredAt: string
      /** Place of the event in the order of all, see `orderOf`. */
      readonly order: string
      readonly amount: string
      readonly currency: string
      /** The sender's name for the user. */
      readonly userExternalId: string
    }
  | { readonly by: 'step'; readonly status: TransactionStatus }

/** What became of it, and whose it is now. `refused`: a report that is no news, or a step that the state does not allow. */
export type Changed =
  { readonly outcome: 'changed' | 'refused'; readonly from: TransactionStatus; readonly userId: string | null } | { readonly outcome: 'unknown' }

interface Row {
  from: TransactionStatus
  userId: string | null
  changed: boolean
}

// The database's clock is one for all containers, whose steps are compared with each other and with reports.
const NOW = "date_trunc('milliseconds', now())"
const BY_API = '(known.user_id IS NOT NULL AND known.user_external_id IS NULL)'
// A step is the newest that is known, also when a report was dated by a clock that runs ahead.
const BY_REPORT = {
  admitted: supersedesInSql(
    { status: '$status::text', occurredAt: '$occurredAt::timestamptz', order: '$order::text' },
    { status: 'known.status', occurredAt: 'known.occurred_at', order: 'known.reported_order' },
  ),
  // The newest report says whose it is. One that the API made for a user stays that user's. Of an erased user not even the name is kept.
  values: sql`amount = $amount::numeric, currency = $currency, occurred_at = $occurredAt::timestamptz, reported_order = $order,
    user_id = CASE WHEN ${BY_API} THEN known.user_id ELSE (SELECT id FROM ${tables.users} WHERE external_id = $userExternalId::text AND erased_at IS NULL) END,
    user_external_id = CASE WHEN NOT ${BY_API}
      AND NOT EXISTS (SELECT FROM ${tables.users} WHERE external_id = $userExternalId::text AND erased_at IS NOT NULL) THEN $userExternalId::text END,
    updated_at = ${NOW}`,
}
const BY_STEP = {
  admitted: 'known.status = ANY ($from::text[])',
  values: `occurred_at = greatest(${NOW}, known.occurred_at), reported_order = NULL, updated_at = ${NOW}`,
}
const BY_NAME = 'external_id = $externalId'
const OF_USER = 'id = $id AND user_id = $userId'

// Written once: what has the same text each time is parsed once.
const statements = {
  report: { byName: changeStatement(BY_NAME, BY_REPORT), ofUser: changeStatement(OF_USER, BY_REPORT) },
  step: { byName: changeStatement(BY_NAME, BY_STEP), ofUser: changeStatement(OF_USER, BY_STEP) },
}

function changeStatement(which: string, { admitted, values }: { admitted: string; values: string | Statement }): Statement {
  return sql`WITH known AS MATERIALIZED (
       SELECT id, user_id, user_external_id, status, amount, currency, occurred_at, reported_order FROM ${tables.transactions}
       WHERE ${which} FOR UPDATE),
     changed AS (
       UPDATE ${tables.transactions} SET status = $status, ${values}
       FROM known WHERE transactions.id = known.id AND ${admitted}
       RETURNING transactions.*),
     before AS (SELECT known.* FROM known JOIN changed USING (id)),
     moved AS (${moveBalances('before', 'changed')})
     SELECT known.status AS "from", CASE WHEN changed.id IS NULL THEN known.user_id ELSE changed.user_id END AS "userId", changed.id IS NOT NULL AS changed
     FROM known LEFT JOIN changed USING (id)`
}

/**
 * Changes the state of a transaction and moves its user's balance, in one statement: the one way by which a state ever
 * changes. Whoever changes the same transaction at the same time waits, and then decides on what the first has made of it.
 */
export async function changeTransaction(which: Which, change: Change, { query }: Pick<Work, 'query'>): Promise<Changed> {
  const { by, ...told } = change
  const text = statements[by]['externalId' in which ? 'byName' : 'ofUser']
  const [row] = await query<Row>(text, { ...which, ...told, ...(by === 'step' ? { from: stepsTo(change.status) } : {}) })
  if (!row) return { outcome: 'unknown' }
  return { outcome: row.changed ? 'changed' : 'refused', from: row.from, userId: row.userId }
}
