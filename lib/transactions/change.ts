import type { TransactionStatus } from '../transaction-status.ts'
import type { Work } from '../database/service.ts'
import { moveBalances } from './balances.ts'
import { stepsTo, supersedesInSql } from './state.ts'

/** Which transaction is meant: by the sender's name for it, or as one of a user's. */
export type Which = { readonly externalId: string } | { readonly id: string; readonly userId: string }

/** What is told of it. A report is dated and repeats the amount; a caller of the API asks for a step, now. */
export type Change =
  | { readonly by: 'report'; readonly status: TransactionStatus; readonly occurredAt: string; readonly amount: string; readonly currency: string }
  | { readonly by: 'step'; readonly status: TransactionStatus; readonly occurredAt: string }

/** What became of it. `refused`: a report that is no news, or a step that the state does not allow. */
export type Changed =
  { readonly outcome: 'changed' | 'refused'; readonly from: TransactionStatus; readonly userId: string | null } | { readonly outcome: 'unknown' }

interface Row {
  from: TransactionStatus
  userId: string | null
  changed: boolean
}

/**
 * Changes the state of a transaction and moves its user's balance, in one statement: the one way by which a state ever
 * changes. Whoever changes the same transaction at the same time waits, and then decides on what the first has made of it.
 */
export async function changeTransaction(which: Which, change: Change, { query }: Pick<Work, 'query'>): Promise<Changed> {
  const report = change.by === 'report'
  const admitted = report
    ? supersedesInSql(
        { status: '$status::text', occurredAt: '$occurredAt::timestamptz' },
        { status: 'known.status', occurredAt: 'known.occurred_at' },
      )
    : 'known.status = ANY ($from::text[])'
  // A step is the newest that is known, also when a report was dated by a clock that runs ahead.
  const values = report
    ? "amount = $amount::numeric, currency = $currency, occurred_at = $occurredAt::timestamptz, updated_at = date_trunc('milliseconds', now())"
    : 'occurred_at = greatest($occurredAt::timestamptz, known.occurred_at), updated_at = $occurredAt::timestamptz'
  const { by, ...told } = change
  const [row] = await query<Row>(
    `WITH known AS MATERIALIZED (
       SELECT id, user_id, status, amount, currency, occurred_at FROM transactions
       WHERE ${'externalId' in which ? 'external_id = $externalId' : 'id = $id AND user_id = $userId'} FOR UPDATE),
     changed AS (
       UPDATE transactions SET status = $status, ${values}
       FROM known WHERE transactions.id = known.id AND ${admitted}
       RETURNING transactions.*),
     before AS (SELECT known.* FROM known JOIN changed USING (id)),
     moved AS (${moveBalances('before', 'changed')})
     SELECT status AS "from", user_id AS "userId", EXISTS (SELECT 1 FROM changed) AS changed FROM known`,
    { ...which, ...told, ...(by === 'step' ? { from: stepsTo(change.status) } : {}) },
  )
  if (!row) return { outcome: 'unknown' }
  return { outcome: row.changed ? 'changed' : 'refused', from: row.from, userId: row.userId }
}
