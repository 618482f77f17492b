import { v7 as uuidv7 } from 'uuid'
import type { ActivityRecorder } from '../activity/record.ts'
import { violatedUniqueConstraint } from '../../resilient-sequelize/src/errors/classify-error.ts'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { ConflictError } from '../../functions-runtime/src/edge/http-errors.ts'
import type { Claim } from '../../functions-runtime/src/api/claim.ts'
import { CLAIMED } from '../idempotency/claim.ts'
import { createOnce } from '../idempotency/create-once.ts'
import { userIdSchema } from '../users/schema.ts'
import { userUnknown } from '../users/unknown.ts'
import { changeTransaction } from './change.ts'
import type { NewTransaction, Transaction } from './schema.ts'
import { showAmount } from './view.ts'

// Keeps the user from being erased until the transaction ends.
const INSERT = sql`
  INSERT INTO ${tables.transactions} (id, external_id, user_id, amount, currency, status, occurred_at, created_at, updated_at)
  SELECT $id::uuid, $externalId, users.id, $amount::numeric, $currency, 'pending', at, at, at
  FROM ${tables.users}, date_trunc('milliseconds', now()) AS at WHERE users.id = $userId AND erased_at IS NULL AND ${CLAIMED} FOR KEY SHARE OF users RETURNING id`

/**
 * Creates a transaction of a user; one that is completed already takes the step to that state as any other does.
 * @throws NotFoundError; ConflictError when the external id is taken; see `createOnce`.
 */
export async function createTransaction(
  userId: string,
  { amount, currency, externalId = null, status }: Omit<NewTransaction, 'externalId'> & { externalId?: string | null | undefined },
  { claim, activity, database }: { claim: Claim; activity: ActivityRecorder; database: DatabaseService },
): Promise<Transaction> {
  if (!userIdSchema.safeParse(userId).success) throw userUnknown()
  const id = uuidv7()
  const shown = showAmount(amount, currency)
  const answer = (at: string): Transaction => ({ id, externalId, amount: shown, currency, status, occurredAt: at, createdAt: at, updatedAt: at })
  const creation = {
    claim,
    userId,
    answer,
    async make(work: Work) {
      const bind = { id, externalId, userId, amount, currency, claimId: claim.id }
      const [rows] = await Promise.all([
        work.query(INSERT, bind),
        status === 'completed' ? changeTransaction({ id, userId }, { by: 'step', status }, work) : undefined,
      ])
      return rows.length === 1
    },
    async complete(made: boolean) {
      if (!made) throw userUnknown()
      await activity.recordActivity(userId, 'transaction.created', { transactionId: id, status })
    },
    wasMade: async ({ models }: Work) => (await models.Transaction.findByPk(id)) !== null,
  }
  return createOnce('transaction.create', database, creation).catch((error: unknown) => {
    if (violatedUniqueConstraint(error) !== 'transactions_external_id_key') throw error
    throw new ConflictError('external-id-taken', 'A transaction with this external id exists already.')
  })
}
