import { recordTransaction } from '../../transactions/record.ts'
import { failedTransactionSchema } from '../../transactions/schema.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

export const transactionFailed = defineHandler({
  type: 'transaction.failed',
  schema: failedTransactionSchema,
  needsDatabase: true,
  concerns: ({ userId }) => userId,
  async apply({ data, occurredAt, order }, work) {
    const { transactionId: externalId, userId: userExternalId, failedAt = occurredAt, ...money } = data
    return recordTransaction({ externalId, userExternalId, status: 'failed', occurredAt: failedAt, order, ...money }, work)
  },
})
