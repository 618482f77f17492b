import type { TransactionStatus } from '../database/models/transaction.ts'

/** What a status may become. A refund is the end; a payment that failed may be tried again by its sender. */
export const nextStatuses: Readonly<Record<TransactionStatus, readonly TransactionStatus[]>> = {
  pending: ['completed', 'failed'],
  completed: ['refunded'],
  failed: [],
  refunded: [],
}

// Pending tells least, a refund most: neither depends on whose clock runs ahead.
const stages: Readonly<Record<TransactionStatus, number>> = { pending: 0, completed: 1, failed: 1, refunded: 2 }

/**
 * The same order in SQL, for the status and the instant in two columns. Reports arrive in any order and more than once:
 * the greatest of all stands, whichever came first. Of one that failed and one that completed the newer is greater; at
 * the same instant the one that moved money.
 */
export function orderOf(status: string, occurredAt: string): string {
  const cases = Object.entries(stages).map(([name, stage]) => `WHEN '${name}' THEN ${stage}`)
  return `ROW(CASE ${status} ${cases.join(' ')} END, ${occurredAt}, ${status} <> 'failed')`
}
