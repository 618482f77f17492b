import { transactionStatuses, type TransactionStatus } from './transaction-status.ts'

/** What may follow on a state when a caller of the API asks for it. */
export const legalSteps: Readonly<Record<TransactionStatus, readonly TransactionStatus[]>> = {
  pending: ['completed', 'failed'],
  completed: ['refunded'],
  failed: [],
  refunded: [],
}

/** The states from which a caller may step to `to`. */
export function stepsTo(to: TransactionStatus): TransactionStatus[] {
  return transactionStatuses.filter(from => legalSteps[from].includes(to))
}

/** A state, the instant, in ISO 8601, at which the payment came into it, and the place of the event that says so (`orderOf`; empty for none). */
export interface DatedState {
  readonly status: TransactionStatus
  readonly occurredAt: string
  readonly order: string
}

// Whatever is known of an outcome counts more than that one is awaited, and money that was given back stays so.
const weight: Readonly<Record<TransactionStatus, number>> = { pending: 0, failed: 1, completed: 1, refunded: 2 }
const tieBreak: Readonly<Record<TransactionStatus, number>> = { pending: 0, failed: 1, completed: 2, refunded: 3 }

/**
 * Whether what is told replaces what is known. Reports come late, twice and in any order, so this is a total order
 * and the state of a transaction the greatest of all that it was told: first by weight, then the later one, of two at the
 * same instant the one further on, and of two in the same state the one whose event comes later in the order of all.
 */
export function supersedes(told: DatedState, known: DatedState): boolean {
  const difference =
    weight[told.status] - weight[known.status] ||
    Date.parse(told.occurredAt) - Date.parse(known.occurredAt) ||
    tieBreak[told.status] - tieBreak[known.status] ||
    Buffer.compare(Buffer.from(told.order), Buffer.from(known.order))
  return difference > 0
}

/** `supersedes` in SQL; each argument is an expression. */
export function supersedesInSql(told: Readonly<Record<keyof DatedState, string>>, known: Readonly<Record<keyof DatedState, string>>): string {
  const row = ({ status, occurredAt, order }: Readonly<Record<keyof DatedState, string>>) =>
    `(${among(weight, status)}, ${occurredAt}, ${among(tieBreak, status)}, coalesce(${order}, '') COLLATE "C")`
  return `${row(told)} > ${row(known)}`
}

function among(numbers: Readonly<Record<TransactionStatus, number>>, expression: string): string {
  return `CASE ${expression} ${transactionStatuses.map(status => `WHEN '${status}' THEN ${numbers[status]}`).join(' ')} END`
}
