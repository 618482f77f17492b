import * as z from 'zod/mini'
import { externalIdSchema } from '../storable-text.ts'

// numeric(19,4): fifteen digits before the point, four after it.
const AMOUNT = /^(?!0+(?:\.0+)?$)\d{1,15}(?:\.\d{1,4})?$/

/** Money is decimal text, never a float. */
export const amountSchema = z.string().check(z.regex(AMOUNT, 'Expected a positive decimal number as text, with at most four places'))

/** ISO 4217 alphabetic code. */
export const currencySchema = z.string().check(z.regex(/^[A-Z]{3}$/, 'Expected a currency code of three capital letters'))

/** `data` of `transaction.completed`. */
export const completedTransactionSchema = z.object({
  transactionId: externalIdSchema,
  /** The sender's id of the user. */
  userId: externalIdSchema,
  amount: amountSchema,
  currency: currencySchema,
  /** When it was completed; by default when it was received. */
  completedAt: z.optional(z.iso.datetime({ offset: true })),
})
export type CompletedTransaction = z.output<typeof completedTransactionSchema>
