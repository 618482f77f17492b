import fc from 'fast-check'

const SQL = [`'; DROP TABLE users; --`, `' OR '1'='1`, '$1', '$email', `\\'; SELECT pg_sleep(10); --`, '%_', `"; --`, '{}', 'NULL']
const AWKWARD = ['\0', 'a\0b', '\ud800', 'x\udfff', '\u202e', '🐘', '\r\n', ' ', '', '__proto__', 'constructor', 'ﬀ', 'İ', 'undefined', 'none']

/** Text that somebody sends who means no good, or does not know better. */
export const hostileText = fc.oneof(
  fc.constantFrom(...SQL, ...AWKWARD),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(200, 255, 2_000, 20_000).map(length => 'x'.repeat(length)),
)

const nested = fc.constantFrom(1, 50, 2_000).map(depth => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown)

/** Anything that JSON can say in place of what is expected. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, 0, -1, 1e308, -0, 2 ** 53, 0.1, [], {}, [1], { $ne: 1 }),
  nested,
  fc.jsonValue({ maxDepth: 2 }),
)

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
