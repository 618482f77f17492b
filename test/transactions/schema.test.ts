import { describe, expect, it } from 'vitest'
import { currencies } from '../../lib/app/transactions/currencies.ts'
import { completedTransactionSchema } from '../../lib/app/transactions/schema.ts'

const valid = { transactionId: 'txn_1', userId: 'usr_1', amount: '12.50', currency: 'EUR', completedAt: '2026-01-01T01:00:00+01:00' }
const pathsOf = (value: unknown) => completedTransactionSchema.safeParse(value).error?.issues.map(({ path }) => path.join('.')) ?? []

describe('the currencies', () => {
  it('are all known to Unicode as well', () => {
    // The bolívar's second code, for what the first is worth without six zeros, is in the standard alone.
    const known = [...Intl.supportedValuesOf('currency'), 'VED']
    expect(currencies.size).toBeGreaterThan(150)
    expect([...currencies.keys()].filter(code => !known.includes(code))).toEqual([])
  })

  it('have the decimals of ISO 4217', () => {
    expect(['JPY', 'EUR', 'KWD'].map(code => currencies.get(code))).toEqual([0, 2, 3])
  })
})

describe('what an event tells of a transaction', () => {
  it('is read with its instant in UTC', () => {
    expect(completedTransactionSchema.parse(valid)).toEqual({
      transactionId: 'txn_1',
      userId: 'usr_1',
      amount: '12.50',
      currency: 'EUR',
      completedAt: '2026-01-01T00:00:00.000Z',
    })
  })

  it.each([
    ['an amount that is a number', { amount: 12.5 }, ['amount']],
    ['no amount at all', { amount: '0.00' }, ['amount']],
    ['a negative amount', { amount: '-1' }, ['amount']],
    ['an amount with an exponent', { amount: '1e3' }, ['amount']],
    ['more decimals than the currency has', { amount: '1.5', currency: 'JPY' }, ['amount']],
    ['three decimals of the euro', { amount: '1.005' }, ['amount']],
    ['a currency that is not in use', { currency: 'XTS' }, ['currency']],
    ['a currency in small letters', { currency: 'eur' }, ['currency']],
    ['an instant without an offset', { completedAt: '2026-01-01T01:00:00' }, ['completedAt']],
  ])('is refused with %s', (_what, change, paths) => {
    expect(pathsOf({ ...valid, ...change })).toEqual(paths)
  })

  it.each([
    ['three decimals of the Kuwaiti dinar', { amount: '1.005', currency: 'KWD' }],
    ['zeros behind the yen', { amount: '100.00', currency: 'JPY' }],
  ])('is taken with %s', (_what, change) => {
    expect(pathsOf({ ...valid, ...change })).toEqual([])
  })
})
