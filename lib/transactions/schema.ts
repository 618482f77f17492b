import * as z from 'zod/mini'
import { externalIdSchema } from '../storable-text.ts'
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

// PostgreSQL and JavaScript disagree at the edges of the calendar; no payment is made there.
const FIRST_AT = Date.UTC(1970, 0, 1)
const LAST_AT = Date.UTC(9999, 11, 31)

/** An instant as RFC 3339 writes it, read into ISO 8601 in UTC, to the millisecond. */
export const instantSchema = z.pipe(
  z.iso.datetime({ offset: true, abort: true }).check(
    z.refine(text => {
      const at = Date.parse(text)
      return at >= FIRST_AT && at <= LAST_AT
    }, 'Expected an instant from 1970 to 9999'),
  ),
  z.transform((text: string) => new Date(text).toISOString()),
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
