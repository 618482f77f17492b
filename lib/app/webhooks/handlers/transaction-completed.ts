import { recordTransaction } from '../../transactions/record.ts'
import { completedTransactionSchema } from '../../transactions/schema.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

export const transactionCompleted = defineHandler({
  type: 'transaction.completed',
  schema: completedTransactionSchema,
  needsDatabase: true,
  concerns: ({ userId }) => userId,
  async apply({ data, occurredAt, order }, work) {
    const { transactionId: externalId, userId: userExternalId, completedAt = occurredAt, ...money } = data
    return recordTransaction({ externalId, userExternalId, status: 'completed', occurredAt: completedAt, order, ...money }, work)
  },
})
