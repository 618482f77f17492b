import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import type { Operation } from '../../src/api/operation.ts'
import { json } from '../../src/edge/reply.ts'
import { optionalText } from '../../src/settings/schemas.ts'
import { defineSettings } from '../../src/settings/settings.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { call, keySetting, withFunctions, type CallRequest } from '../../../functions-devkit/test/support/functions.ts'
import { defineApi, ended, main, ORDERS } from '../support/orders.ts'

const key = 'key_of-a-test-0123456789'
const authorization = `Bearer ${key}`
const unknownId = '0192b7f0-0000-7000-8000-000000000001'

const ask = (route: string, { headers = {}, ...rest }: CallRequest = {}) => {
  const [method = '', path = ''] = route.split(' ')
  return call(main, { method, path, headers: { authorization, 'content-type': 'application/json', ...headers }, ...rest })
}
const create = (idempotencyKey: string, body: object) => ask('POST /', { headers: { 'idempotency-key': idempotencyKey }, body: JSON.stringify(body) })

const withOrders = (work: (database: TestDatabase) => Promise<void>, changes: Readonly<Record<string, string>> = {}) =>
  withFunctions(
    [main],
    async database => {
      await database.query(ORDERS)
      await work(database)
    },
    { API_KEYS: keySetting(key, 'shop', main.scopes), ...changes },
  )

describe('an API', () => {
  it('creates, reads and lists with one definition', async () => {
    await withOrders(async () => {
      const created = await create('k1', { product: 'tea' })
      expect(created).toMatchObject({ statusCode: 201, body: { product: 'tea', number: 1 } })
      const id = String(created.body.id)
      expect(created.headers.location).toContain(id)
      expect(await ask(`GET /${id}`)).toMatchObject({ statusCode: 200, body: created.body })
      expect(await ask('GET /')).toMatchObject({ statusCode: 200, body: { items: [created.body], next: null } })
      expect(await ask(`GET /${unknownId}`)).toMatchObject({ statusCode: 404, body: { code: 'order-unknown' } })
    })
  })

  it('refuses what its schemas forbid', async () => {
    await withOrders(async () => {
      expect(await create('k1', { product: 'tea', number: 0 })).toMatchObject({ statusCode: 422, body: { code: 'content-invalid' } })
      expect(await ask('POST /', { body: '{"product":"tea"}' })).toMatchObject({ statusCode: 400, body: { code: 'idempotency-key-missing' } })
      expect(await ask('GET /', { query: 'colour=red' })).toMatchObject({ statusCode: 422 })
    })
  })

  it('asks for the scope of an operation', async () => {
    const changes = { API_KEYS: keySetting(key, 'reader', ['orders:read', 'stock:read']) }
    await withOrders(async () => {
      expect(await ask('GET /')).toMatchObject({ statusCode: 200 })
      expect(await create('k1', { product: 'tea' })).toMatchObject({ statusCode: 403, body: { scope: 'orders:write' } })
      expect(await ask('GET /', { headers: { authorization: '' } })).toMatchObject({ statusCode: 401 })
    }, changes)
  })

  it('lets any valid key call an operation without a scope', async () => {
    await withOrders(
      async () => {
        expect(await ask(`GET /${unknownId}`)).toMatchObject({ statusCode: 404 })
        expect(await ask(`GET /${unknownId}`, { headers: { authorization: 'Bearer other' } })).toMatchObject({ statusCode: 401 })
      },
      { API_KEYS: keySetting(key, 'nobody', []) },
    )
  })

  it('serves an open operation without a key', async () => {
    await withOrders(
      async () => {
        const greeting = await ask('GET /greeting', { headers: { authorization: '' } })
        expect(greeting).toMatchObject({ statusCode: 200, body: { text: 'Servus, Ada', configured: 'Servus', caller: 'undefined' } })
      },
      { GREETING: 'Servus' },
    )
  })

  it('ends what a request began before it answers', async () => {
    await withOrders(async () => {
      ended.length = 0
      await ask('POST /', { headers: { 'idempotency-key': 'k1', 'x-request-id': 'req-1' }, body: '{"product":"tea"}' })
      expect(ended).toEqual(['req-1 tea'])
    })
  })

  it('gives out the contract that the tools read', async () => {
    await withOrders(async () => {
      const { body, statusCode } = await ask('GET /openapi.json', { headers: { authorization: '' } })
      expect([statusCode, body]).toEqual([200, JSON.parse(JSON.stringify(await main.contract()))])
    })
  })

  it('reads the settings that its operations need', () => {
    expect(main.variables).toEqual(expect.arrayContaining(['API_KEYS', 'DB_CONNECTION_URL', 'GREETING', 'LOG_LEVEL']))
    expect(apiOf({ open: true }).variables).not.toContain('API_KEYS')
  })

  it('tells its scopes and operations', () => {
    expect(main.scopes).toEqual(['orders:read', 'orders:write'])
    expect(main.operations.map(({ route, scope, open }) => [route, scope, open])).toEqual([
      ['POST /', 'orders:write', undefined],
      ['GET /', 'orders:read', undefined],
      ['GET /{orderId}', undefined, undefined],
      ['GET /greeting', undefined, true],
    ])
  })

  it('says why it may be public, unless an operation is open', () => {
    expect(apiOf({}).openBecause).toBe('each call needs an API key')
    expect(apiOf({ open: true }).openBecause).toBeUndefined()
  })

  it('passes the other fields of a function on', async () => {
    const api = defineApi({
      name: 'api/orders',
      openBecause: 'of a reason',
      fewConnections: 3,
      operations: operation => [operation('GET /', readOne, () => json(200, {}))],
      routes: { 'GET /form': () => ({ statusCode: 200, body: 'form' }) },
      invoked: async input => ({ was: input.task }),
    })
    expect([api.openBecause, api.fewConnections]).toEqual(['of a reason', 3])
    await withFunctions([api], async () => {
      expect(await api({ http: { method: 'GET', path: '/form', headers: {} } })).toMatchObject({ statusCode: 200, body: 'form' })
      expect(await api({ task: 'count' })).toEqual({ was: 'count' })
    })
  })
})

const readOne = { operationId: 'readOne', summary: 'Reads one', answer: { status: 200, description: 'One.' } } as const
const apiOf = (changes: Partial<Operation>, route = 'GET /') =>
  defineApi({
    name: 'api/orders',
    operations: operation => [operation(route, { ...readOne, ...changes } as never, () => json(200, {}))],
  })
const apiOfTwo = (one: [string, string], other: [string, string]) =>
  defineApi({
    name: 'api/orders',
    operations: operation => [one, other].map(([route, operationId]) => operation(route, { ...readOne, operationId }, () => json(200, {}))),
  })

const apiWith = (further: Readonly<Record<string, string>>, route: string) =>
  defineApi({
    name: 'api/orders',
    operations: operation => [operation(route, readOne, () => json(200, {}))],
    routes: Object.fromEntries(Object.entries(further).map(([one, body]) => [one, () => json(200, { body })])),
  })
const apiListing = (operations: unknown) => defineApi({ name: 'api/orders', operations: () => operations as never })
type RefusedCase = [title: string, define: () => unknown, message: RegExp]

describe('the definition of an API is refused', () => {
  it.each<RefusedCase>([
    ['without an operation', () => defineApi({ name: 'api/orders', operations: () => [] }), /api\/orders: it has no operation/],
    ['for a route without a method', () => apiOf({}, '/orders'), /a route is a method and a path, such as GET \/\{orderId\}\/items/],
    ['for a parameter within a segment', () => apiOf({}, 'GET /a{id}'), /a route is a method and a path/],
    ['for two parameters of one name', () => apiOf({}, 'GET /{id}/items/{id}'), /\{id\} is there twice/],
    ['for an id that is no name', () => apiOf({ operationId: 'read one' }), /operationId "read one" is no name/],
    [
      'for two routes that match the same',
      () => apiOfTwo(['GET /{id}', 'a'], ['GET /{orderId}', 'b']),
      /GET \/\{orderId\}: GET \/\{id\} is the same route/,
    ],
    ['for two operations of one id', () => apiOfTwo(['GET /', 'a'], ['POST /', 'a']), /POST \/: operationId a belongs to GET \//],
    [
      'for a scope that a key cannot hold',
      () => apiOf({ scope: 'orders read' }),
      /API_KEYS cannot hold the scope "orders read": use 1 to 64 letters/,
    ],
    ['for a scope of an open operation', () => apiOf({ scope: 'orders:read', open: true }), /the scope orders:read is never asked for/],
    ['for an idempotency key of nobody', () => apiOf({ open: true, idempotencyKey: 'optional' }), /an idempotency key belongs to an API key/],
    ['for the route of the contract', () => apiOf({}, 'GET /openapi.json'), /the contract is served there/],
    [
      'for a described parameter that no route has',
      () =>
        defineApi({
          name: 'api/orders',
          parameters: { orderID: 'x' },
          operations: operation => [operation('GET /{orderId}', readOne, () => json(200, {}))],
        }),
      /parameters describes orderID, which is in no route and no query/,
    ],
    [
      'for a further route that an operation has',
      () =>
        defineApi({
          name: 'api/orders',
          operations: operation => [operation('GET /', readOne, () => json(200, {}))],
          routes: { 'GET /': () => json(200, {}) },
        }),
      /GET \/ is the same route/,
    ],
    ...[{ 'GET /openapi.json': 'contract' }, { 'GET /openapi.json/': 'contract' }].map((routes): RefusedCase => [
      `for a further route of the contract: ${Object.keys(routes).join()}`,
      () => apiWith(routes, 'GET /'),
      /api\/orders: routes has GET \/openapi\.json, where the contract is served/,
    ]),
    ...[
      ['GET /{id}', 'GET /newest'],
      ['GET /newest/', 'GET /newest'],
      ['GET /{id}/{part}', 'GET /{id}/items'],
    ].map(([further = '', route = '']): RefusedCase => [
      `for the further route ${further} before ${route}`,
      () => apiWith({ [further]: 'further' }, route),
      /of routes takes all of its requests, so it is never called|is the same route/,
    ]),
    ['for a body of GET', () => apiOf({ body: z.object({}) }), /GET \/: GET carries no body/],
    ['for an idempotency key of GET', () => apiOf({ idempotencyKey: 'optional' }), /GET \/: GET can be repeated without an idempotency key/],
    ['for a patch without a body', () => apiOf({ patch: true }, 'PATCH /{id}'), /PATCH \/\{id\}: patch says how the body is read/],
    [
      'for content with the status 204',
      () => apiOf({ answer: { status: 204, description: 'None.', schema: z.object({}) } }),
      /GET \/: an answer with status 204 has no content/,
    ],
    ['for no list of operations', () => apiListing(undefined), /api\/orders: operations returns undefined: return a list/],
    ['for a promise of operations', () => apiListing(Promise.resolve([])), /operations returns a promise: return a list/],
    ['for an operation that is undefined', () => apiListing([[undefined]]), /number 1 of the operations is undefined: each is what operation/],
    ['for an operation of another type', () => apiListing([() => 1]), /number 1 of the operations is of the type function/],
    [
      'for a group of settings with a taken name',
      () =>
        defineApi({
          name: 'api/orders',
          settings: { keys: defineSettings({ KEYS: optionalText() }, values => values) },
          operations: operation => [operation('GET /', readOne, () => json(200, {}))],
        }),
      /settings has a group keys already/,
    ],
  ])('%s', (_case, define, message) => {
    expect(define).toThrow(message)
  })
})

it.each(['GET /{id}/form', 'POST /{id}', 'GET /new/{id}', 'HEAD /newest'])('the further route %s leaves an operation its requests', further => {
  expect(apiWith({ [further]: 'further' }, 'GET /newest').operations).toHaveLength(1)
})

it('a word in a route goes before a parameter', async () => {
  const api = defineApi({
    name: 'api/orders',
    operations: operation => [
      operation('GET /{id}', { ...readOne, open: true }, ({ params }) => json(200, { id: params.id })),
      operation('GET /newest', { ...readOne, operationId: 'readNewest', open: true }, () => json(200, { newest: true })),
    ],
  })
  await withFunctions([api], async () => {
    const event = (path: string) => ({ http: { method: 'GET', path, headers: {} } })
    expect(JSON.stringify(await api(event('/newest')))).toContain('newest')
    expect(JSON.stringify(await api(event('/7')))).toContain('7')
  })
})

it('infers what a handler gets from the operation', () => {
  const typed = defineApi({
    name: 'api/orders',
    operations: operation => [
      operation('GET /{a}/b/{c}', { ...readOne, query: z.object({ n: z.int() }) }, ({ params, query, claim, body, caller }) => {
        const typed: [string, string, number, undefined, undefined, string] = [params.a, params.c, query.n, claim, body, caller]
        // @ts-expect-error -- the route has no such parameter
        return json(200, { typed, missing: params.d as string })
      }),
      // @ts-expect-error -- an operation has no such field
      operation('GET /', { ...readOne, operationId: 'b', sumary: 'misspelt' }, () => json(200, {})),
    ],
  })
  expect(typed.operations).toHaveLength(2)
})
