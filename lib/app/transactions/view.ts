import { decimalsOf } from './currencies.ts'
import type { Transaction } from './schema.ts'

/** Columns of a transaction that is shown, in SQL. */
export const TRANSACTION_COLUMNS =
  'id, external_id AS "externalId", amount::text, currency, status, occurred_at AS "occurredAt", created_at AS "createdAt", updated_at AS "updatedAt"'

type Instants = 'occurredAt' | 'createdAt' | 'updatedAt'
export type ShownTransactionRow = Omit<Transaction, Instants> & Readonly<Record<Instants, Date>>

/** A row as the API shows it. */
export function viewOfTransaction(row: ShownTransactionRow): Transaction {
  const { id, externalId, amount, currency, status, occurredAt, createdAt, updatedAt } = row
  return {
    id,
    externalId,
    amount: showAmount(amount, currency),
    currency,
    status,
    occurredAt: occurredAt.toISOString(),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

/** Writes decimal text with as many decimals as the currency has, and never with fewer than it takes to be exact. */
export function showAmount(amount: string, currency: string): string {
  const [whole = '', decimals = ''] = amount.split('.')
  const shown = decimals.replace(/0+$/, '').padEnd(decimalsOf(currency), '0')
  const digits = whole.replace(/^0+(?=\d)/, '')
  return shown === '' ? digits : `${digits}.${shown}`
}
