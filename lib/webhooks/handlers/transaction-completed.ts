import { completeTransaction } from '../../transactions/complete.ts'
import { completedTransactionSchema } from '../../transactions/schema.ts'
import { defineHandler } from '../handler.ts'

export const transactionCompleted = defineHandler({
  type: 'transaction.completed',
  schema: completedTransactionSchema,
  async apply(event, work) {
    return completeTransaction(event.data, work)
  },
})
