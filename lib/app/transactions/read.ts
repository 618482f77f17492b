import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { BEHIND_PLACE, bindPlace, PLACE, pageOf, readCursor, type Page } from '../../functions-runtime/src/content/page.ts'
import { readListOfUser } from '../users/list-of-user.ts'
import { transactionIdSchema, type Balance, type Transaction, type TransactionQuery } from './schema.ts'
import { transactionUnknown } from './unknown.ts'
import { showAmount, TRANSACTION_COLUMNS, viewOfTransaction, type ShownTransactionRow } from './view.ts'

/**
 * A page of a user's transactions, newest first.
 * @throws NotFoundError, BadRequestError for a cursor that is none.
 */
export async function listTransactions(
  userId: string,
  { limit, cursor, status }: TransactionQuery,
  database: DatabaseService,
): Promise<Page<Transaction>> {
  const list = ['transactions', userId, status]
  const rows = {
    columns: `${PLACE}, ${TRANSACTION_COLUMNS}`,
    from: sql`${tables.transactions} WHERE user_id = $userId AND ($status::text IS NULL OR status = $status) AND ${BEHIND_PLACE}`,
    bind: { status: status ?? null, ...bindPlace(readCursor(cursor, list)) },
    limit: limit + 1,
  }
  const found = await readListOfUser<ShownTransactionRow & { at: string }>('transaction.list', userId, rows, database)
  return pageOf(found, { limit, list, view: viewOfTransaction })
}

/**
 * Reads one transaction of a user.
 * @throws NotFoundError
 */
export async function getTransaction({ userId, id }: { userId: string; id: string }, database: DatabaseService): Promise<Transaction> {
  const isId = transactionIdSchema.safeParse(id).success
  const rows = {
    columns: TRANSACTION_COLUMNS,
    from: sql`${tables.transactions} WHERE user_id = $userId AND id = $transactionId::uuid`,
    bind: { transactionId: isId ? id : null },
    limit: 1,
  }
  const [row] = await readListOfUser<ShownTransactionRow>('transaction.get', userId, rows, database)
  if (!row) throw transactionUnknown()
  return viewOfTransaction(row)
}

/**
 * What a user has in each currency, of those that something was ever completed in.
 * @throws NotFoundError
 */
export async function readBalances(userId: string, database: DatabaseService): Promise<Balance[]> {
  const rows = {
    columns: 'currency, amount::text, updated_at AS created_at, user_id AS id',
    from: sql`${tables.balances} WHERE user_id = $userId`,
    bind: {},
    limit: 1_000,
  }
  const found = await readListOfUser<Balance>('transaction.balances', userId, rows, database)
  return found
    .map(({ currency, amount }) => ({ currency, amount: showAmount(amount, currency) }))
    .sort((one, other) => one.currency.localeCompare(other.currency))
}
