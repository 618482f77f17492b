import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { localWebhookSecrets } from '../../src/server/webhook-secrets.ts'
import { signDelivery } from '../../src/server/sign-delivery.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { sourceTable } from '../application/lib/app/webhooks/sources.ts'
import { bundleFunctions } from '../support/bundle-functions.ts'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { callWeb, containerOf } from '../support/function-container.ts'
import { apiKey, webhookSecret } from '../support/functions.ts'
import { stopContainers, type Container } from '../support/platform/container.ts'
import { invokedEvent } from '../support/platform/events.ts'
import { hasRedis, startRedis } from '../support/redis.ts'
import { completedTransaction, eventBody } from '../support/webhooks.ts'

const secrets = localWebhookSecrets(webhookSecret)
const JSON_TYPE = { 'content-type': 'application/json' }

interface Sent {
  readonly source?: keyof typeof sourceTable
  readonly id?: string
  readonly headers?: Record<string, string>
}

/** Sends a signed delivery to a container of `api/webhook`. */
function deliver(container: Container, body: string | Buffer, { source = 'demo', id = 'evt_1', headers = {} }: Sent = {}) {
  const definition: SourceDefinition = sourceTable[source]
  const signed = signDelivery(definition, { id, body, sentAt: Date.now(), secret: secrets[definition.secrets] ?? '' })
  return callWeb(container, { method: 'POST', path: `/${source}`, body, headers: { ...JSON_TYPE, ...signed, ...headers } })
}

const rowsOf = (database: TestDatabase) =>
  database.query(
    `SELECT external_id AS id, type, outcome, attempts, last_error AS error, invalid_paths AS paths,
       round(extract(epoch FROM next_attempt_at - now()) / 60)::int AS minutes FROM webhook_events ORDER BY 1`,
  )
const parked = { outcome: 'failed', attempts: 1, minutes: null }
const github = { 'x-github-event': 'transaction.completed', 'x-github-delivery': 'evt_1' }

afterEach(stopContainers)

describe('the packed api/webhook', () => {
  it.each<[string, string | Buffer, object, Sent]>([
    ['a value that does not fit', completedTransaction({ amount: 'x' }), { error: 'content-invalid', paths: ['/data/amount'] }, {}],
    ['a body without what its handler needs', '{"amount":"1"}', { error: 'content-invalid', type: 'transaction.completed' }, { source: 'github', headers: github }],
    ['no type', '{"data":{}}', { error: 'content-invalid', paths: ['/type'], type: '(unknown)' }, {}],
    ['a type with NUL', '{"type":"a\\u0000b"}', { error: 'content-invalid', paths: ['/type'] }, {}],
    ['no type in its header', '{}', { error: 'content-invalid', paths: ['x-github-event'] }, { source: 'github', headers: { 'x-github-delivery': 'evt_1' } }],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), { error: 'json-unreadable', paths: null }, {}],
    ['a form', 'payload=%7B%7D', { error: 'content-type-unsupported' }, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['a form without what its handler needs', 'payload=%7B%7D', { error: 'content-invalid' }, { source: 'github', headers: { ...github, 'content-type': 'application/x-www-form-urlencoded' } }],
    ['no content type', completedTransaction(), { error: 'content-type-unsupported' }, { headers: { 'content-type': '' } }],
    ['JSON with its id under another type', JSON.stringify({ id: 'evt_1', type: 't' }), { error: 'content-type-unsupported' }, { source: 'stripe', headers: { 'content-type': 'text/plain' } }],
  ])('parks %s, lists where, and counts its redelivery', async (_what, body, row, sent) => {
    await withDatabase(async database => {
      const webhook = await containerOf('api/webhook', 'digitalocean', database, secrets)
      expect(await deliver(webhook, body, sent)).toMatchObject({ status: 200, body: { outcome: 'failed' } })
      expect(await deliver(webhook, body, sent)).toMatchObject({ status: 200, body: { outcome: 'duplicate', first: 'failed' } })
      expect(await rowsOf(database)).toMatchObject([{ id: 'evt_1', ...parked, ...row }])
      const maintenance = await containerOf('ops/maintenance', 'digitalocean', database)
      const { result } = await maintenance.run(invokedEvent({ task: 'webhooks', action: 'list' }))
      const { error: lastError, ...shown } = row as { error: string; paths?: string[] }
      expect(result).toMatchObject({ events: [{ lastError, ...(shown.paths ? { invalidPaths: shown.paths } : {}) }] })
      await stopContainers()
    })
  }) // prettier-ignore

  it('answers 500 for content that does not fit where senders send again', async () => {
    await withDatabase(async database => {
      const webhook = await containerOf('api/webhook', 'digitalocean', database, { ...secrets, WEBHOOK_POISON: '500' })
      for (let n = 0; n < 2; n += 1) expect(await deliver(webhook, '{}')).toMatchObject({ status: 500, body: { code: 'event-failed' } })
      expect(await rowsOf(database)).toMatchObject([{ ...parked, error: 'content-invalid' }])
      await stopContainers()
    })
  })

  it.skipIf(!hasRedis())('buffers content that does not fit, and maintenance parks it', async () => {
    const redis = await startRedis()
    try {
      await withDatabase(async database => {
        const away = await containerOf('api/webhook', 'digitalocean', database, { ...secrets, DB_PORT: '1', REDIS_URL: redis.url })
        expect(await deliver(away, completedTransaction({ amount: 'x' }))).toMatchObject({ status: 202, body: { outcome: 'buffered' } })
        expect(await deliver(away, '{', { id: 'evt_2' })).toMatchObject({ status: 202, body: { outcome: 'buffered' } })
        const maintenance = await containerOf('ops/maintenance', 'digitalocean', database, { REDIS_URL: redis.url })
        expect((await maintenance.run(invokedEvent())).result).toMatchObject({ outcome: 'complete', buffer: { drained: 2, parked: 0, left: 0 } })
        expect(await rowsOf(database)).toMatchObject([
          { id: 'evt_1', ...parked, error: 'content-invalid', paths: ['/data/amount'] },
          { id: 'evt_2', ...parked, error: 'json-unreadable' },
        ])
        await stopContainers()
      })
    } finally {
      await redis.stop()
    }
  })

  it.each<[string, string | Buffer, Sent, number, string]>([
    ['an id beyond 2^53', '{"id":9007199254740993,"type":"t"}', { source: 'stripe' }, 422, 'event-id-invalid'],
    ['an id with a fraction', '{"id":1.00000000000000000001,"type":"t"}', { source: 'stripe' }, 422, 'event-id-invalid'],
    ['true for an id', '{"id":true,"type":"t"}', { source: 'stripe' }, 422, 'event-id-invalid'],
    ['too long an id', '{}', { id: 'x'.repeat(256) }, 422, 'event-id-invalid'],
    ['an id with NUL', '{"id":"a\\u0000b","type":"t"}', { source: 'stripe' }, 422, 'event-id-invalid'],
    ['no id', '{"type":"t"}', { source: 'stripe' }, 422, 'event-id-missing'],
    ['a compressed body', gzipSync('{"id":"evt_1"}'), { headers: { 'content-encoding': 'GZIP' } }, 415, 'content-encoding-unsupported'],
    ['two encodings', '{}', { headers: { 'content-encoding': 'identity, br' } }, 415, 'content-encoding-unsupported'],
  ])('refuses %s, says so in its log, and stores nothing', async (_what, body, sent, status, code) => {
    await withDatabase(async database => {
      const webhook = await containerOf('api/webhook', 'digitalocean', database, secrets)
      const { lines, ...answer } = await deliver(webhook, body, sent)
      expect(answer).toMatchObject({ status, body: { code } })
      expect(lines.filter(({ event }) => event === 'webhook.refused')).toMatchObject([{ source: sent.source ?? 'demo', code }])
      expect(lines.at(-1)).toMatchObject({
        event: 'invocation.completed',
        status,
        code,
        counters: { [`events ${sent.source ?? 'demo'} ${code}`]: 1 },
      })
      expect(await rowsOf(database)).toEqual([])
      await stopContainers()
    })
  })
})

it('refuses a content encoding by name in the packed api/user', async () => {
  await withDatabase(async database => {
    const user = await containerOf('api/user', 'digitalocean', database)
    const headers = { ...JSON_TYPE, authorization: `Bearer ${apiKey}` }
    const body = '{"email":"a@example.com","name":"A"}'
    const refused = await callWeb(user, { method: 'POST', headers: { ...headers, 'content-encoding': 'br' }, body })
    expect(refused).toMatchObject({ status: 415, body: { code: 'content-encoding-unsupported', detail: expect.stringContaining('br') as string } })
    expect(await callWeb(user, { method: 'POST', headers: { ...headers, 'content-encoding': 'identity' }, body })).toMatchObject({ status: 201 })
    expect(await database.query('SELECT count(*)::int AS count FROM users')).toEqual([{ count: 1 }])
    await stopContainers()
  })
})

const OTHER_HANDLERS = `
import * as z from 'zod/mini'
import { defineHandler, later } from '../../../webhook-inbox/src/inbox/handler.ts'
import { transactionCompleted, transactionFailed, transactionRefunded } from './transactions.ts'

const no = () => { throw new TypeError('no') }
const schema = z.unknown()
const addUser = query => query("INSERT INTO users (id, email, name, created_at, updated_at) VALUES (gen_random_uuid(), 'a@example.com', 'A', now(), now())")
const userHandler = (type, afterMs) =>
  defineHandler({ type, schema, needsDatabase: true, async apply(_event, { query }) { await addUser(query); throw later('closed', { afterMs }) } })

export const handlers = [
  { ...transactionCompleted, schema: z.unknown().check(no) },
  { ...transactionFailed, concerns: no },
  { ...transactionRefunded, schema: z.unknown().check(z.refine(async () => true)) },
  userHandler('user.created', 7_200_000),
  userHandler('user.updated', Number.NaN),
  defineHandler({ type: 'alert.raised', schema, needsDatabase: false, async apply() { throw later('closed') } }),
]
`

/** Bundles with handlers that were written wrong, or put their events off. */
describe('a packed bundle with other handlers', () => {
  let checkout: Checkout
  beforeAll(() => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
    checkout.write('lib/app/webhooks/handlers/index.ts', OTHER_HANDLERS)
    change('packages/api/webhook/index.ts', 'routes: {', "routes: {\n    'GET /bigint': () => json(200, { id: 1n }),\n    'GET /large': () => json(200, { text: 'x'.repeat(1_048_576) }),\n    'GET /header': () => json(200, {}, { 'x-a': 'a\\nb' }),\n    'GET /status': () => json(Number.NaN, {}),")
    bundleFunctions(checkout.folder)
  }) // prettier-ignore
  afterAll(() => checkout.remove())

  function change(path: string, from: string, to: string, before = ''): void {
    const text = readFileSync(join(checkout.folder, path), 'utf8')
    if (!text.includes(from)) throw new Error(`${path} does not say ${from} any more`)
    checkout.write(path, before + text.replace(from, to))
  }
  const start = (database: TestDatabase, changes: Record<string, string> = {}) =>
    containerOf('api/webhook', 'digitalocean', database, { ...secrets, ...changes }, checkout.folder)

  const money = { transactionId: 'txn_1', userId: 'usr_1', amount: '5', currency: 'EUR' }
  it.each([
    ['a schema that throws', 'transaction.completed', 'schema-failed'],
    ['a concerns that throws', 'transaction.failed', 'concerns-failed'],
    ['an asynchronous schema', 'transaction.refunded', 'schema-failed'],
  ])('parks an event for %s, and applies it once mended', async (_what, type, error) => {
    await withDatabase(async database => {
      const webhook = await start(database)
      expect(await deliver(webhook, eventBody(type, money))).toMatchObject({ status: 200, body: { outcome: 'failed' } })
      expect(await rowsOf(database)).toMatchObject([{ id: 'evt_1', type, ...parked, error, paths: null }])
      const mended = await containerOf('ops/maintenance', 'digitalocean', database)
      expect((await mended.run(invokedEvent({ task: 'webhooks', action: 'retry', id: 'all' }))).result).toEqual({ retried: 1 })
      expect((await mended.run(invokedEvent())).result).toMatchObject({ attempts: { applied: 1, deferred: 0, parked: 0 } })
      expect(await rowsOf(database)).toMatchObject([{ outcome: 'applied', error: null }])
      expect(await database.query('SELECT external_id AS id FROM transactions')).toEqual([{ id: 'txn_1' }])
      expect(await deliver(webhook, eventBody(type, money))).toMatchObject({ status: 200, body: { outcome: 'duplicate', first: 'applied' } })
      await stopContainers()
    })
  })

  const person = { userId: 'usr_1', email: 'a@example.com', name: 'A' }
  it.each<[string, string, object, number, object]>([
    ['its own time', 'user.created', person, 202, { outcome: null, error: 'closed', minutes: 120 }],
    ['the usual backoff without a database', 'alert.raised', { code: 'disk', severity: 'info' }, 202, { outcome: null, error: 'closed', minutes: 1 }],
    ['a bad time', 'user.updated', person, 200, { outcome: 'failed', error: 'later-invalid', minutes: null }],
  ])('puts an event off by %s', async (_what, type, data, status, row) => {
    await withDatabase(async database => {
      const webhook = await start(database)
      expect(await deliver(webhook, eventBody(type, data))).toMatchObject({ status })
      expect(await rowsOf(database)).toMatchObject([{ id: 'evt_1', attempts: 1, ...row }])
      expect(await database.query('SELECT * FROM users')).toEqual([])
      await stopContainers()
    })
  })

  it('answers what cannot be sent with its own 500', async () => {
    await withDatabase(async database => {
      const webhook = await start(database)
      for (const [path, code] of [['/bigint', 'reply-invalid'], ['/large', 'reply-too-large'], ['/header', 'reply-invalid'], ['/status', 'reply-invalid']]) {
        const { lines, ...answer } = await callWeb(webhook, { path: path ?? '' })
        expect(answer).toMatchObject({ status: 500, body: { code, status: 500 } })
        expect(lines.map(({ event, status }) => [event, status])).toEqual([['invocation.reply.invalid', undefined], ['invocation.completed', 500]])
      }
      await stopContainers()
    })
  }) // prettier-ignore
})
