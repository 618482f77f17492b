import { recordTransaction } from '../../transactions/record.ts'
import { refundedTransactionSchema } from '../../transactions/schema.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

export const transactionRefunded = defineHandler({
  type: 'transaction.refunded',
  schema: refundedTransactionSchema,
  needsDatabase: true,
  concerns: ({ userId }) => userId,
  async apply({ data, occurredAt, order }, work) {
    const { transactionId: externalId, userId: userExternalId, refundedAt = occurredAt, ...money } = data
    return recordTransaction({ externalId, userExternalId, status: 'refunded', occurredAt: refundedAt, order, ...money }, work)
  },
})
