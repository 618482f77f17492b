import { STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApplicationError } from '../../src/edge/http-errors.ts'
import { defineFunction, type FunctionDefinition } from '../../src/edge/define.ts'
import { json, type Reply } from '../../src/edge/reply.ts'
import { toHttpReply } from '../../../functions-devkit/src/server/platform/response.ts'

type Definition = FunctionDefinition<Record<string, never>, object>
type Line = Record<string, unknown>

function define(changes: Partial<Definition>) {
  const lines: Line[] = []
  const output = { write: (text: string) => void lines.push(JSON.parse(text) as Line) }
  return { main: defineFunction({ name: 'test/sample', settings: {}, setup: () => ({}), ...changes }, { output }), lines }
}

/** Calls a function whose handler returns `reply`; gives what a client of the platform gets, and the log. */
async function sendReply(reply: () => unknown) {
  const { main, lines } = define({ routes: { 'GET /': () => reply() as Reply } })
  const result = await main({ http: { method: 'GET', path: '/', headers: { 'x-request-id': 'id-1' } } })
  const { status, headers, body } = toHttpReply({ end: 'result', result }, 'platform')
  return { status, headers: Object.fromEntries(headers), text: body.toString(), lines }
}

const circular: Record<string, unknown> = {}
circular.self = circular
class Hidden {
  readonly #value = 7
  get value() {
    return this.#value
  }
}
const replyOf = (body: unknown, headers: Record<string, unknown> = {}) =>
  json(200, body as Record<string, unknown>, headers as Record<string, string>)

const unsendable: [what: string, reply: () => unknown, reason: RegExp][] = [
  ['a BigInt', () => replyOf({ id: 1n }), /JSON/],
  ['a BigInt as the whole body', () => replyOf(1n), /bigint/],
  ['a circular object', () => replyOf(circular), /JSON/],
  ['a toJSON that throws', () => replyOf({ toJSON: unhappy }), /JSON/],
  ['a toJSON that throws deep inside', () => replyOf({ list: [{ toJSON: unhappy }] }), /JSON/],
  ['a toJSON that gives nothing', () => replyOf({ toJSON: () => undefined }), /not an object/],
  ['a toJSON that gives null', () => replyOf({ toJSON: () => null }), /not an object/],
  ['a Date, which JSON shows as text', () => replyOf(new Date(0)), /not an object/],
  ['a getter that throws', () => replyOf(Object.defineProperty({}, 'a', { enumerable: true, get: unhappy })), /JSON/],
  ['a Symbol', () => replyOf(Symbol('s')), /symbol/],
  ['a function', () => replyOf(() => 1), /function/],
  ['undefined', () => replyOf(undefined), /undefined/],
  ['null', () => replyOf(null), /null/],
  ['NaN', () => replyOf(Number.NaN), /number/],
  ['a Buffer', () => replyOf(Buffer.from('abc')), /binary/],
  ['a typed array under a binary type', () => ({ statusCode: 200, headers: { 'content-type': 'image/png' }, body: new Uint8Array(8) }), /binary/],
  ['a stream', () => replyOf(Readable.from(['a'])), /stream/],
  ['a web stream', () => replyOf(new ReadableStream()), /stream/],
  ['a promise in place of a body', () => replyOf(Promise.resolve({ a: 1 })), /an object/],
  ['a Map', () => replyOf(new Map([['a', 1]])), /an object/],
  ['an Error', () => replyOf(new Error('secret')), /an object/],
  ['an instance that hides its fields', () => replyOf(new Hidden()), /an object/],
  ['text under a JSON type that is not JSON', () => replyOf('hello'), /not/],
  ['an empty text under a JSON type', () => replyOf(''), /not/],
  ['the JSON text null', () => replyOf('null'), /not an object/],
  ['an object under a text type', () => ({ statusCode: 200, headers: { 'content-type': 'text/plain' }, body: { a: 1 } }), /not JSON/],
  ['a text under a binary type', () => ({ statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'no base64' }), /base64/],
  ['an invalid content type', () => ({ statusCode: 200, headers: { 'content-type': 'text' }, body: 'a' }), /content type/],
  ['a header with a line break', () => replyOf({}, { 'x-a': 'a\r\nset-cookie: b' }), /x-a/],
  ['a header beyond Latin-1', () => replyOf({}, { 'x-a': '✓' }), /x-a/],
  ['a header that is an object', () => replyOf({}, { 'x-a': { b: 1 } }), /x-a/],
  ['a header that is null', () => replyOf({}, { 'x-a': null }), /x-a/],
  ['a header that is a BigInt', () => replyOf({}, { 'x-a': 1n }), /x-a/],
  ['an invalid header name', () => replyOf({}, { 'x a': '1' }), /token/],
  ['headers that are text', () => ({ statusCode: 200, headers: 'x-a: 1', body: {} }), /headers/],
  ['the status NaN', () => ({ statusCode: Number.NaN, body: {} }), /NaN/],
  ['the status 99', () => ({ statusCode: 99, body: {} }), /99/],
  ['the status 101', () => ({ statusCode: 101, body: {} }), /101/],
  ['the status 200.5', () => ({ statusCode: 200.5, body: {} }), /200.5/],
  ['the status 299', () => ({ statusCode: 299, body: {} }), /299/],
  ['the status 1000', () => ({ statusCode: 1_000, body: {} }), /1000/],
  ['a status that is text', () => ({ statusCode: 'ok', body: {} }), /string/],
  ['no status', () => ({ body: { a: 1 } }), /undefined/],
  ['a bare object', () => ({ id: 7 }), /undefined/],
  ['nothing', () => undefined, /undefined/],
  ['null as the reply', () => null, /null/],
  ['a text as the reply', () => 'hello', /string/],
  ['an array as the reply', () => [1], /an array/],
  ['a reply whose body is a getter that throws', () => Object.defineProperty({ statusCode: 200 }, 'body', { enumerable: true, get: unhappy }), /^$/],
]

function unhappy(): never {
  throw new TypeError('no "secret"')
}

describe('a reply that cannot be sent', () => {
  it.each(unsendable)('answers %s with our own 500', async (_what, reply, reason) => {
    const { status, text, headers, lines } = await sendReply(reply)
    expect(status).toBe(500)
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'x-request-id': 'id-1' })
    expect(JSON.parse(text)).toMatchObject({
      status: 500,
      code: expect.stringMatching(/^(reply-invalid|internal-error)$/) as string,
      requestId: 'id-1',
    })
    expect(text).not.toMatch(/secret|statusCode|JSON/)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({ level: 'error', event: expect.stringMatching(/^invocation\.(reply\.invalid|failed)$/) as string })
    expect(lines[0]?.reason ?? '').toMatch(reason)
    expect(JSON.stringify(lines)).not.toContain('secret')
    expect(lines[1]).toMatchObject({ event: 'invocation.completed', status: 500, code: (JSON.parse(text) as { code: string }).code })
  })

  it.each([
    ['a body', () => replyOf({ text: 'x'.repeat(1_048_576) })],
    ['escapes', () => replyOf({ text: '\u0001'.repeat(200_000) })],
    ['headers', () => replyOf({}, { 'x-a': 'x'.repeat(1_048_576) })],
    ['a text', () => ({ statusCode: 200, headers: { 'content-type': 'text/plain' }, body: 'é'.repeat(600_000) })],
  ])('says that %s exceeds what the platform takes', async (_what, reply) => {
    const { status, text, lines } = await sendReply(reply)
    expect(status).toBe(500)
    expect(JSON.parse(text)).toMatchObject({ code: 'reply-too-large' })
    expect(lines[0]).toMatchObject({ event: 'invocation.reply.invalid', reason: expect.stringContaining('1048576') as string })
    expect(lines[1]).toMatchObject({ status: 500, code: 'reply-too-large' })
  })

  it.each([
    ['details', new ApplicationError('No.', { code: 'no', status: 409, problem: { id: 1n } })],
    ['a header', new ApplicationError('No.', { code: 'no', status: 409, headers: { 'x-a': 'a\nb' } })],
    ['a status', new ApplicationError('No.', { code: 'no', status: 7 })],
    ['a circular detail', new ApplicationError('No.', { code: 'no', status: 409, problem: circular })],
  ])('answers an error with %s that cannot be sent with 500', async (_what, error) => {
    const { status, text, lines } = await sendReply(() => {
      throw error
    })
    expect(status).toBe(500)
    expect(JSON.parse(text)).toMatchObject({ code: 'reply-invalid' })
    expect(lines.at(-1)).toMatchObject({ status: 500, code: 'reply-invalid' })
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('sends no Retry-After for a wait of %s ms', async retryAfterMs => {
    const { status, headers } = await sendReply(() => {
      throw new ApplicationError('Later.', { code: 'busy', status: 503, retryAfterMs })
    })
    expect(status).toBe(503)
    expect(headers).not.toHaveProperty('retry-after')
  })

  it('answers although the request id of the platform is no text', async () => {
    const { main, lines } = define({ routes: { 'GET /': () => json(200, {}) } })
    const context = { requestId: { toString: unhappy } as unknown as string }
    expect(await main({ http: { method: 'GET', path: '/', headers: {} } }, context)).toMatchObject({ statusCode: 200 })
    expect(lines).toMatchObject([{ event: 'invocation.completed', status: 200 }])
  })
})

describe('a reply that can be sent', () => {
  it.each<[string, Reply | object, number, string]>([
    ['an object', json(200, { a: 1 }), 200, '{"a":1}'],
    ['an array', replyOf([1, 2]), 200, '[1,2]'],
    ['a number', replyOf(7), 200, '7'],
    ['false', replyOf(false), 200, 'false'],
    ['an object without a prototype', replyOf(Object.assign(Object.create(null) as object, { a: 1 })), 200, '{"a":1}'],
    ['an instance with fields', replyOf(new (class Point { x = 1 })()), 200, '{"x":1}'], // prettier-ignore
    ['an object that writes itself', replyOf({ toJSON: () => ({ a: 1 }) }), 200, '{"a":1}'],
    ['a Date inside', replyOf({ at: new Date(0) }), 200, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['a text', { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: 'true' }, 200, 'true'],
    ['a text without a type', { statusCode: 200, body: 'hello' }, 200, 'hello'],
    ['JSON as text', replyOf('{"a":1}'), 200, '{"a":1}'],
    ['JSON as text that could be base64', replyOf('1234'), 200, '1234'],
    ['base64 of a binary type', { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'YWJj' }, 200, 'abc'],
    ['no body', { statusCode: 202 }, 202, ''],
    ['204 with an undefined body', { statusCode: 204, body: undefined }, 204, ''],
    ['304 with an entity tag', { statusCode: 304, headers: { etag: '"1"' } }, 304, ''],
  ])('sends %s as the handler returned it', async (_what, reply, status, text) => {
    const answer = await sendReply(() => reply)
    expect(answer).toMatchObject({ status, text })
    expect(answer.lines).toMatchObject([{ event: 'invocation.completed', status }])
  })

  it('sends a header of several values and omits an undefined one', async () => {
    const { main } = define({ routes: { 'GET /': () => replyOf({}, { 'set-cookie': ['a=1', 'b=2'], 'x-a': undefined, 'x-b': 7 }) } })
    const result = await main({ http: { method: 'GET', path: '/', headers: {} } })
    const { headers } = toHttpReply({ end: 'result', result }, 'platform')
    expect(headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual(['a=1', 'b=2'])
    expect(headers.map(([name]) => name)).not.toContain('x-a')
    expect(headers).toContainEqual(['x-b', '7'])
  })

  it('sends what was checked, although the original changes later', async () => {
    let asked = 0
    const fickle = { toJSON: () => ((asked += 1) > 1 ? unhappy() : { asked }) }
    expect(await sendReply(() => replyOf(fickle))).toMatchObject({ status: 200, text: '{"asked":1}' })
  })

  it('sends exactly the statuses that Node.js knows', async () => {
    const sent: number[] = []
    for (let status = 200; status < 1_000; status += 1) if ((await sendReply(() => ({ statusCode: status }))).status === status) sent.push(status)
    expect(sent).toEqual(
      Object.keys(STATUS_CODES)
        .map(Number)
        .filter(status => status >= 200),
    )
  })
})

const anyStatus = fc.oneof(fc.constantFrom<unknown>(200, 201, 204, 304, 404, 500), fc.integer({ min: -1, max: 1_000 }), fc.anything())
const anyHeaders = fc.oneof(
  fc.dictionary(
    fc.oneof(fc.constantFrom('content-type', 'Content-Type', 'x-a', 'content-length'), fc.string()),
    fc.oneof(fc.string(), fc.anything()),
  ),
  fc.record({ 'content-type': fc.constantFrom('application/json', 'application/problem+json', 'text/plain', 'image/png', 'x', '') }),
  fc.anything(),
)
const anyBody = fc.oneof(
  fc.constantFrom<unknown>('true', '1234', 'null', '', 'a', '"a"', '{}', new Date(0), Buffer.from('a'), new Map(), 1n, circular),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
)
const anyReply = fc.oneof(
  fc.record({ statusCode: anyStatus, headers: anyHeaders, body: anyBody }, { requiredKeys: [] }),
  fc.record({ statusCode: fc.constantFrom(200, 204), headers: anyHeaders, body: anyBody }, { requiredKeys: ['statusCode'] }),
  fc.anything(),
)

it('logs the status that leaves, whatever a handler returns', async () => {
  await fc.assert(
    fc.asyncProperty(anyReply, async reply => {
      const { status, text, lines } = await sendReply(() => reply)
      expect(lines.at(-1)).toMatchObject({ event: 'invocation.completed', status })
      // The platform's own answers have an `error` and its request id as `code`.
      expect(text).not.toContain('"code":"platform"')
    }),
    { numRuns: 500 },
  )
})

describe('a direct invocation', () => {
  it.each<[string, () => unknown]>([
    ['a BigInt', () => ({ rows: 1n })],
    ['a circular object', () => circular],
    ['a text', () => 'done'],
    ['an array', () => [1]],
    ['null', () => null],
    ['a toJSON that gives text', () => ({ toJSON: () => 'text' })],
    ['more than the platform takes', () => ({ text: 'x'.repeat(1_048_576) })],
  ])('reports %s as a failed activation', async (_what, result) => {
    const { main, lines } = define({ invoked: async () => result() as Record<string, unknown> })
    expect(await main({})).toMatchObject({ error: { status: 500, code: expect.stringMatching(/^reply-(invalid|too-large)$/) as string } })
    expect(lines.at(-1)).toMatchObject({ event: 'invocation.completed', status: 'error', code: expect.stringMatching(/^reply-/) as string })
  })

  it.each<[unknown, object]>([
    [undefined, {}],
    [
      { rows: 1, at: new Date(0) },
      { rows: 1, at: '1970-01-01T00:00:00.000Z' },
    ],
  ])('returns %j as a success', async (result, expected) => {
    const { main, lines } = define({ invoked: async () => result as Record<string, unknown> })
    expect(await main({})).toEqual(expected)
    expect(lines.at(-1)).toMatchObject({ status: 'ok' })
  })
})
