import { v7 as uuidv7 } from 'uuid'
import type { Work } from '../database/service.ts'
import type { CompletedTransaction } from './schema.ts'

/**
 * Writes a completed transaction, linked to its user if that user is known. A transaction that is there already stays
 * as it is: two events may tell of the same one.
 */
export async function completeTransaction(data: CompletedTransaction, { models, query, transaction }: Work): Promise<{ userId: string | null }> {
  const user = await models.User.findOne({ where: { externalId: data.userId }, attributes: ['id'], transaction })
  const now = new Date().toISOString()
  await query(
    `INSERT INTO transactions (id, external_id, user_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
     VALUES ($id, $externalId, $userId, $userExternalId, $amount, $currency, 'completed', $occurredAt, $now, $now)
     ON CONFLICT (external_id) DO NOTHING`,
    {
      id: uuidv7(),
      externalId: data.transactionId,
      userId: user?.id ?? null,
      userExternalId: data.userId,
      amount: data.amount,
      currency: data.currency,
      occurredAt: data.completedAt ?? now,
      now,
    },
  )
  return { userId: user?.id ?? null }
}
