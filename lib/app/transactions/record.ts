import { v7 as uuidv7 } from 'uuid'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { TransactionStatus } from './transaction-status.ts'
import type { Work } from '../../functions-runtime/src/database/service.ts'
import { lockUser } from '../../webhook-inbox/src/inbox/user-lock.ts'
import { changeTransaction } from './change.ts'

/** What somebody tells of a transaction. */
export interface TransactionReport {
  /** The sender's name for it. */
  readonly externalId: string
  /** The sender's name for its user, who may be unknown yet. */
  readonly userExternalId: string
  readonly status: TransactionStatus
  readonly amount: string
  readonly currency: string
  /** When it came to have this status, ISO 8601. */
  readonly occurredAt: string
  /** Place of the event in the order of all, see `orderOf`. */
  readonly order: string
}

// As pending, which whatever is told supersedes: so the first report takes the same way as every later one. Of somebody
// who was erased not even the name is kept.
const MENTION = sql`
  WITH bearer AS (SELECT id, erased_at FROM ${tables.users} WHERE external_id = $userExternalId),
  made AS (
  INSERT INTO ${tables.transactions} (id, external_id, user_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
  SELECT $id::uuid, $externalId, CASE WHEN erased_at IS NULL THEN bearer.id END, CASE WHEN erased_at IS NULL THEN $userExternalId END,
    $amount::numeric, $currency, 'pending', $occurredAt::timestamptz, now(), now()
  FROM (SELECT) AS one LEFT JOIN bearer ON true
  ON CONFLICT (external_id) DO NOTHING)
  SELECT id AS "userId", erased_at IS NOT NULL AS erased FROM bearer`

/**
 * Records what was told of a transaction: makes it, or moves it on if the report is newer than what is known. Reports
 * may come in any order and more than once, and end in the same: the newest says whose it is. Linked to that user if that one
 * is known, else kept for `joinTransactions`. Resolves to the user who is named, and whether that one was erased.
 */
export async function recordTransaction(report: TransactionReport, work: Pick<Work, 'query'>): Promise<{ userId: string | null; erased: boolean }> {
  const { externalId, userExternalId, status, amount, currency, occurredAt, order } = report
  // One flight: the lock is held before the user is looked for.
  const [, [bearer], changed] = await Promise.all([
    lockUser(userExternalId, work),
    work.query<{ userId: string; erased: boolean }>(MENTION, { id: uuidv7(), externalId, userExternalId, amount, currency, occurredAt }),
    changeTransaction({ externalId }, { by: 'report', status, occurredAt, order, amount, currency, userExternalId }, work),
  ])
  if (changed.outcome === 'unknown') throw new Error('a transaction was neither made nor found')
  return { userId: bearer === undefined || bearer.erased ? changed.userId : bearer.userId, erased: bearer?.erased ?? false }
}
