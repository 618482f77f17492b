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
