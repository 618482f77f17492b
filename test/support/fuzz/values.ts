import fc from 'fast-check'

/** Amounts that are right, nearly right, or neither. */
export const amounts = fc.oneof(
  fc.integer({ min: 1, max: 99_999 }).map(cents => (cents / 100).toFixed(2)),
  fc.constantFrom(
    '0',
    '0.0',
    '-1',
    '+1',
    '1e5',
    '1.',
    '.5',
    '00001',
    '1.00000',
    '1.0000',
    '999999999999999',
    '999999999999999.9999',
    '1000000000000000',
    'NaN',
    'Infinity',
    '１',
    ' 1',
    '1 ',
    '0x1',
    '1,5',
  ),
)

export const currencyCodes = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('EUR', 'JPY', 'KWD') },
  { weight: 1, arbitrary: fc.constantFrom('eur', 'XXX', 'EU', 'EURO', 'ＥＵＲ', '') },
)
