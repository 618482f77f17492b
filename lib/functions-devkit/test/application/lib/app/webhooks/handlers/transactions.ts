import * as z from 'zod/mini'
import { storableText } from '../../../../../../../functions-runtime/src/content/storable-text.ts'
import { sql } from '../../../../../../../functions-runtime/src/database/sql.ts'
import { defineHandler } from '../../../../../../../webhook-inbox/src/inbox/handler.ts'
import { tables } from '../../tables.ts'

const name = storableText({ maxLength: 200 })
const schema = z.object({
  transactionId: name,
  userId: name,
  amount: z.string().check(z.regex(/^(?!0+(?:\.0+)?$)\d{1,15}(?:\.\d{1,4})?$/)),
  currency: z.string().check(z.regex(/^[A-Z]{3}$/)),
})
const INSERT = sql`
  INSERT INTO ${tables.transactions} (external_id, user_external_id, amount, currency, status)
  VALUES ($transactionId, $userId, $amount::numeric, $currency, $status)`

/** A second event of the same transaction fails, so that a test sees whether an event was applied twice. */
const transaction = (status: string) =>
  defineHandler({
    type: `transaction.${status}`,
    schema,
    needsDatabase: true,
    concerns: ({ userId }) => userId,
    async apply({ data: { transactionId, userId, amount, currency } }, { query }) {
      await query(INSERT, { transactionId, userId, amount, currency, status })
    },
  })

export const transactionCompleted = transaction('completed')
export const transactionFailed = transaction('failed')
export const transactionRefunded = transaction('refunded')
