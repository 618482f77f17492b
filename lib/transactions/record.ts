import { v7 as uuidv7 } from 'uuid'
import type { TransactionStatus } from '../database/models/transaction.ts'
import type { Work } from '../database/service.ts'
import { lockUser } from '../users/lock.ts'
import { orderOf } from './state.ts'

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
}

/** A transaction as far as money goes. */
export interface TransactionStand {
  readonly userId: string | null
  readonly status: TransactionStatus
  readonly amount: string
  readonly currency: string
}

/** How a report has changed a transaction; equal when it told nothing new. */
export interface TransactionChange {
  readonly before: TransactionStand | null
  readonly after: TransactionStand
}

const STAND = "json_build_object('userId', user_id, 'status', status, 'amount', amount::text, 'currency', currency)"
const RECORD = `
  WITH before AS (SELECT ${STAND} AS stand FROM transactions WHERE external_id = $externalId),
  changed AS (
    INSERT INTO transactions AS t (id, external_id, user_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
    VALUES ($id, $externalId, (SELECT id FROM users WHERE external_id = $userExternalId), $userExternalId, $amount, $currency, $status,
      $occurredAt::timestamptz, now(), now())
    ON CONFLICT (external_id) DO UPDATE
      SET status = EXCLUDED.status, amount = EXCLUDED.amount, currency = EXCLUDED.currency, occurred_at = EXCLUDED.occurred_at,
        updated_at = EXCLUDED.updated_at
      WHERE ${orderOf('EXCLUDED.status', 'EXCLUDED.occurred_at')} > ${orderOf('t.status', 't.occurred_at')}
    RETURNING ${STAND} AS stand)
  SELECT (SELECT stand FROM before) AS before, coalesce((SELECT stand FROM changed), (SELECT stand FROM before)) AS after`

/**
 * Records what was told of a transaction: makes it, or moves it on if the report is newer than what is known. Reports
 * may come in any order and more than once, and end in the same. Linked to its user if that one is known.
 */
export async function recordTransaction(report: TransactionReport, work: Pick<Work, 'query'>): Promise<TransactionChange> {
  // One flight: the lock is held before the statement looks for the user and for what was there before.
  const [, [change]] = await Promise.all([lockUser(report.userExternalId, work), work.query<TransactionChange>(RECORD, { id: uuidv7(), ...report })])
  if (change === undefined) throw new Error('a transaction was neither made nor found')
  return change
}

/** Links the transactions that came before their user; the user's lock is held. */
export async function joinTransactions(
  { userId, externalId }: { userId: string; externalId: string },
  { query }: Pick<Work, 'query'>,
): Promise<void> {
  await query('UPDATE transactions SET user_id = $userId, updated_at = now() WHERE user_external_id = $externalId AND user_id IS NULL', {
    userId,
    externalId,
  })
}
