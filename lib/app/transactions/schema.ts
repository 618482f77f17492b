import * as z from 'zod/mini'
import { transactionStatuses } from './transaction-status.ts'
import { instantSchema, shownInstantSchema } from '../../functions-runtime/src/content/instant.ts'
import { pageQuery } from '../../functions-runtime/src/content/page.ts'
import { externalIdSchema } from '../../functions-runtime/src/content/storable-text.ts'
import { currencies, decimalsOf } from './currencies.ts'

// numeric(19,4): fifteen digits before the point, four after it.
const AMOUNT = /^(?!0+(?:\.0+)?$)\d{1,15}(?:\.\d{1,4})?$/

/** Money is decimal text, never a float. */
export const amountSchema = z.string().check(z.regex(AMOUNT, 'Expected a positive decimal number as text, with at most four places'))

/** ISO 4217 alphabetic code. */
export const currencySchema = z
  .string()
  .check(z.regex(/^[A-Z]{3}$/, { error: 'Expected a currency code of three capital letters', abort: true }))
  .check(z.refine(code => currencies.has(code), 'Expected the code of a currency in use'))

/** Refuses an amount with more decimals than its currency has; zeros at the end count for nothing. */
export const decimalsFitCurrency = z.refine<{ amount: string; currency: string }>(
  ({ amount, currency }) => (amount.split('.')[1] ?? '').replace(/0+$/, '').length <= decimalsOf(currency),
  { error: 'Expected no more decimals than the currency has', path: ['amount'] },
)

const reported = {
  transactionId: externalIdSchema,
  /** The sender's id of the user. */
  userId: externalIdSchema,
  amount: amountSchema,
  currency: currencySchema,
}
/** By default when the event was sent, or else received. */
const at = z.optional(instantSchema)

/** `data` of `transaction.completed`. */
export const completedTransactionSchema = z.object({ ...reported, completedAt: at }).check(decimalsFitCurrency)
/** `data` of `transaction.failed`. */
export const failedTransactionSchema = z.object({ ...reported, failedAt: at }).check(decimalsFitCurrency)
/** `data` of `transaction.refunded`: a refund gives back the whole amount. */
export const refundedTransactionSchema = z.object({ ...reported, refundedAt: at }).check(decimalsFitCurrency)

/** What creates a transaction. */
export const newTransactionSchema = z
  .strictObject({
    amount: amountSchema,
    currency: currencySchema,
    /** What events will call it. */
    externalId: z.optional(externalIdSchema),
    status: z._default(z.enum(['pending', 'completed']), 'pending'),
  })
  .check(decimalsFitCurrency)
export type NewTransaction = z.output<typeof newTransactionSchema>

/** A step to another state, as JSON Merge Patch (RFC 7396). */
export const transactionPatchSchema = z.strictObject({ status: z.enum(['completed', 'failed', 'refunded']) })
export type TransactionPatch = z.output<typeof transactionPatchSchema>

export const transactionQuerySchema = z.strictObject({ ...pageQuery, status: z.optional(z.enum(transactionStatuses)) })
export type TransactionQuery = z.output<typeof transactionQuerySchema>

/** An amount as answers have it: with the decimals of its currency. */
const shownAmountSchema = z.string().check(z.regex(/^\d+(?:\.\d{1,4})?$/))
const shownCurrencySchema = z.string().check(z.regex(/^[A-Z]{3}$/))

/** A transaction as the API shows it. */
export const transactionSchema = z.strictObject({
  id: z.uuid(),
  externalId: z.nullable(z.string()),
  amount: shownAmountSchema,
  currency: shownCurrencySchema,
  status: z.enum(transactionStatuses),
  /** When it came into this state. */
  occurredAt: shownInstantSchema,
  createdAt: shownInstantSchema,
  updatedAt: shownInstantSchema,
})
export type Transaction = z.output<typeof transactionSchema>

/** The sum of a user's completed transactions in one currency. */
export const balanceSchema = z.strictObject({ currency: shownCurrencySchema, amount: shownAmountSchema })
export type Balance = z.output<typeof balanceSchema>

export const transactionIdSchema = z.uuid()
