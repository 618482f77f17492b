import type { ActivityRecorder } from '../activity/record.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { TransactionStatus } from './transaction-status.ts'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import { ApplicationError } from '../../functions-runtime/src/edge/http-errors.ts'
import { userIdSchema } from '../users/schema.ts'
import { userUnknown } from '../users/unknown.ts'
import { changeTransaction } from './change.ts'
import { transactionIdSchema, type Transaction, type TransactionPatch } from './schema.ts'
import { transactionUnknown } from './unknown.ts'
import { TRANSACTION_COLUMNS, viewOfTransaction, type ShownTransactionRow } from './view.ts'

// Before the transaction's own row, as everybody does who needs both: so nobody waits in a circle.
const KEEP_USER = sql`SELECT id FROM ${tables.users} WHERE id = $userId AND erased_at IS NULL FOR KEY SHARE`
const READ = sql`SELECT ${TRANSACTION_COLUMNS} FROM ${tables.transactions} WHERE id = $id AND user_id = $userId`

type Stepped = { readonly transaction: Transaction } | { readonly refusedFrom: TransactionStatus }

/**
 * Takes a transaction to another state. Asking again for the state that it is in changes nothing, so that whoever did not
 * get the answer may ask again.
 * @throws NotFoundError; ApplicationError `step-illegal` (409) with the state that does not allow it.
 */
export async function stepTransaction(
  { userId, id }: { userId: string; id: string },
  { status }: TransactionPatch,
  { activity, database }: { activity: ActivityRecorder; database: DatabaseService },
): Promise<Transaction> {
  if (!userIdSchema.safeParse(userId).success) throw userUnknown()
  if (!transactionIdSchema.safeParse(id).success) throw transactionUnknown()
  const stepped = await database.execute('transaction.step', async (work: Work): Promise<Stepped> => {
    const [[user], changed, [row]] = await Promise.all([
      work.query(KEEP_USER, { userId }),
      changeTransaction({ id, userId }, { by: 'step', status }, work),
      work.query<ShownTransactionRow>(READ, { id, userId }),
    ])
    if (!user) throw userUnknown()
    if (changed.outcome === 'unknown' || !row) throw transactionUnknown()
    if (changed.outcome === 'refused' && changed.from !== status) return { refusedFrom: changed.from }
    if (changed.outcome === 'changed')
      await activity.recordActivity(userId, 'transaction.changed', { transactionId: id, from: changed.from, to: status })
    return { transaction: viewOfTransaction(row) }
  })
  if ('transaction' in stepped) return stepped.transaction
  await activity.recordActivity(userId, 'transaction.refused', { transactionId: id, from: stepped.refusedFrom, to: status })
  throw stepIllegal(stepped.refusedFrom, status)
}

function stepIllegal(from: TransactionStatus, to: TransactionStatus): ApplicationError {
  return new ApplicationError(`A transaction that is ${from} cannot become ${to}.`, { code: 'step-illegal', status: 409, problem: { from, to } })
}
