import fc from 'fast-check'
import type { ApiCall } from '../api.ts'
import { hostileText, hostileValue } from '../../../lib/functions-devkit/test/support/hostile-values.ts'
import { amounts, currencyCodes } from './values.ts'

/** A user that is there, and one of its transactions; some of them may go while requests are made. */
export interface Known {
  readonly user: string
  readonly transaction: string
}

export interface FuzzedRequest extends ApiCall {
  readonly route: string
}

type Body = Readonly<Record<string, unknown>>

const email = fc.nat({ max: 500 }).map(n => `user${n}@example.com`)
const instants = fc.constantFrom('1970-01-01T00:00:00Z', '2026-01-01T00:00:00.5+02:00', '2027-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z')
const wrongInstants = fc.constantFrom(
  '1969-12-31T23:59:59Z',
  '9999-12-31T23:59:59-01:00',
  '0000-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01',
)

// What a request may look like that somebody means: by operation.
const bodies: Readonly<Record<string, fc.Arbitrary<Body>>> = {
  'POST /': fc.record(
    { email, name: fc.string({ minLength: 1, maxLength: 20 }), externalId: fc.nat({ max: 500 }).map(n => `usr_${n}`) },
    { requiredKeys: ['email', 'name'] },
  ),
  'PATCH /{userId}': fc.record({ email, name: fc.string({ minLength: 1, maxLength: 20 }) }, { requiredKeys: [] }),
  'POST /{userId}/transactions': fc.record(
    {
      amount: amounts,
      currency: currencyCodes,
      externalId: fc.nat({ max: 500 }).map(n => `txn_${n}`),
      status: fc.constantFrom('pending', 'completed', 'pending', 'completed', 'refunded'),
    },
    { requiredKeys: ['amount', 'currency'] },
  ),
  'PATCH /{userId}/transactions/{transactionId}': fc.record({ status: fc.constantFrom('completed', 'failed', 'refunded', 'pending') }),
}
const filters: Readonly<Record<string, fc.Arbitrary<Body>>> = {
  'GET /': fc.record(
    { email, externalId: fc.nat({ max: 500 }).map(n => `usr_${n}`), createdAfter: instants, createdBefore: instants },
    { requiredKeys: [] },
  ),
  'GET /{userId}/activity': fc.record({ kind: fc.constantFrom('user.created', 'user.updated') }, { requiredKeys: [] }),
  'GET /{userId}/transactions': fc.record({ status: fc.constantFrom('pending', 'completed') }, { requiredKeys: [] }),
}
const hostileQuery = fc.record(
  {
    limit: fc.constantFrom('1', '5', '100', '0', '101', '-1', '1.5', '١'),
    cursor: fc.oneof(hostileText, fc.constant(`1.${'0'.repeat(32)}.AAAAAAAAAAA`)),
    email: hostileText,
    externalId: hostileText,
    createdAfter: fc.oneof(instants, wrongInstants, hostileText),
    kind: hostileText,
    status: hostileText,
  },
  { requiredKeys: [] },
)

/** Requests to one operation: right, nearly right, and hostile. */
export function requestsTo(route: string, known: readonly Known[]): fc.Arbitrary<FuzzedRequest> {
  const [method = '', path = ''] = route.split(' ')
  return fc
    .record({
      path: paths(path, known),
      headers: headers(),
      query: method === 'GET' ? queries(filters[route]) : fc.constant(''),
      body: bodies[route] === undefined ? fc.constant(undefined) : contents(bodies[route]),
    })
    .map(({ path: at, ...rest }) => ({ ...rest, route: `${method} ${at}` }))
}

function paths(path: string, known: readonly Known[]): fc.Arbitrary<string> {
  const hostile = fc.oneof(
    hostileText.map(encoded),
    fc.constantFrom('%00', '%', '%zz', '%2e%2e', '..', '%F0%28', 'null', '0192b7f0-0000-7000-8000-000000000001'),
  )
  // Looked up when the request is made: who was there before may be gone.
  const right = fc.nat().map(n => known[n % known.length] ?? { user: '', transaction: '' })
  const wrong = fc.record({ user: hostile, transaction: hostile })
  const ids = fc.oneof(
    { weight: 8, arbitrary: right },
    { weight: 1, arbitrary: wrong },
    {
      weight: 1,
      arbitrary: fc
        .tuple(right, right, wrong)
        .map(([one, other, neither]) => ({ user: one.user, transaction: other.user === one.user ? neither.transaction : other.transaction })),
    },
  )
  return ids.map(({ user, transaction }) => path.replace('{userId}', () => user).replace('{transactionId}', () => transaction))
}

// A lone surrogate cannot be written in a URL.
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()) || '%20'
}

function headers(): fc.Arbitrary<Record<string, string>> {
  const text = fc.oneof(hostileText, fc.constantFrom('a\r\nx-injected: 1', 'a, b', '"x"', '*'))
  const good = fc.record({ 'idempotency-key': fc.nat({ max: 30_000 }).map(n => `k${n}`), 'if-match': fc.constant('*') })
  const bad = fc.record(
    {
      'idempotency-key': text,
      'Idempotency-Key': text,
      'if-match': text,
      'content-type': fc.constantFrom('application/json', 'application/merge-patch+json', 'text/plain', 'application/json; charset=utf-16', ''),
      'x-forwarded-for': fc.oneof(text, fc.constantFrom('203.0.113.7', '::1', 'fe80::1%eth0', '1.2.3.4, 5.6.7.8')),
      'user-agent': text,
      'x-request-id': text,
      'content-length': fc.constant('0'),
      'transfer-encoding': fc.constant('chunked'),
      __proto__: text,
    },
    { requiredKeys: [] },
  )
  return fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: fc.tuple(good, bad).map(([one, other]) => ({ ...one, ...other })) })
}

function queries(good: fc.Arbitrary<Body> = fc.constant({})): fc.Arbitrary<string> {
  const written = (parameters: Body) => new URLSearchParams(parameters as Record<string, string>).toString()
  return fc.oneof(
    { weight: 4, arbitrary: good.map(written) },
    { weight: 3, arbitrary: fc.tuple(good, hostileQuery).map(([one, other]) => written({ ...one, ...other })) },
    {
      weight: 1,
      arbitrary: fc.tuple(good, hostileText).map(([one, text]) => `${written(one)}&limit=2&limit=3&${encoded(text)}=${encoded(text)}&%=%zz`),
    },
  )
}

function contents(good: fc.Arbitrary<Body>): fc.Arbitrary<string | Buffer> {
  const json = good.map(body => JSON.stringify(body))
  const nearly = fc.tuple(good, hostileValue, fc.nat()).map(([body, value, at]) => {
    const names = [...Object.keys(body), 'unknown', '__proto__', 'id']
    return writeObject({ ...body }, names[at % names.length] ?? '', value)
  })
  const twice = fc
    .tuple(good, good)
    .map(([one, other]) => `${JSON.stringify(one).slice(0, -1)}${Object.keys(one).length > 0 ? ',' : ''}${JSON.stringify(other).slice(1)}`)
  const broken = fc.oneof(
    fc.tuple(json, fc.nat()).map(([text, at]) => text.slice(0, at % (text.length + 1))),
    fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
    hostileValue.map(value => JSON.stringify(value)),
    fc.constantFrom('', '{', 'null', '[]', `${'['.repeat(50_000)}`, '{"email":"\\ud800@example.com"}', '\ufeff{}'),
  )
  const large = fc.constantFrom(749 * 1024, 751 * 1024, 1024 * 1024).map(length => `{"name":"${'x'.repeat(length)}"}`)
  return fc.oneof(
    { weight: 10, arbitrary: json },
    { weight: 8, arbitrary: nearly },
    { weight: 2, arbitrary: twice },
    { weight: 3, arbitrary: broken },
    { weight: 0.05 * 20, arbitrary: fc.nat({ max: 9 }).chain(n => (n === 0 ? large : json)) },
  )
}

// As text, because an object made by a program cannot have every name that a text can.
function writeObject(body: Body, name: string, value: unknown): string {
  const members = Object.entries({ ...body })
    .filter(([one]) => one !== name)
    .map(([one, inner]) => `${JSON.stringify(one)}:${JSON.stringify(inner)}`)
  return `{${[...members, `${JSON.stringify(name)}:${JSON.stringify(value)}`].join(',')}}`
}
