import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { main } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { call, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { completedTransaction, signedHeaders, type SignOptions } from '../../../functions-devkit/test/support/webhooks.ts'

const send = (
  body: string | Buffer,
  {
    path = '/demo',
    base64 = true,
    headers = {},
    ...options
  }: SignOptions & { path?: string; base64?: boolean; headers?: Record<string, string> } = {},
) => call(main, { method: 'POST', path, body, base64, headers: { ...signedHeaders(body, options), ...headers } })

describe('a signed event', () => {
  it.each([true, false])('is applied once, whatever is delivered again (body in base64: %s)', async base64 => {
    await withFunctions([main], async database => {
      const body = completedTransaction({ transactionId: 'txn_1', amount: '12.5' })
      expect(await send(body, { id: 'msg_1', base64 })).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
      expect(await send(body, { id: 'msg_1', base64 })).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
      expect(await database.query('SELECT external_id, amount, currency, status, user_external_id FROM transactions')).toEqual([
        { external_id: 'txn_1', amount: '12.5000', currency: 'EUR', status: 'completed', user_external_id: 'usr_1' },
      ])
      const [event] = await database.query(
        'SELECT source, external_id, type, outcome, attempts, processed_at IS NOT NULL AS processed FROM webhook_events',
      )
      expect(event).toEqual({ source: 'demo', external_id: 'msg_1', type: 'transaction.completed', outcome: 'applied', attempts: 1, processed: true })
    })
  })

  it('is applied once when it arrives twenty times at once', async () => {
    await withFunctions(
      [main],
      async database => {
        const body = completedTransaction()
        const answers = await Promise.all(Array.from({ length: 20 }, () => send(body, { id: 'msg_1' })))
        expect(answers.map(answer => answer.body.outcome).sort()).toEqual(['applied', ...Array<string>(19).fill('duplicate')])
        expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 1 }])
      },
      { DB_POOL_MAX: '5' },
    )
  })

  it('waits for another delivery of it that is being worked on, and is told to come back if that takes too long', async () => {
    await withFunctions([main], async database => {
      const body = completedTransaction()
      const headers = signedHeaders(body, { id: 'msg_1' })
      await database.query('BEGIN')
      await database.query(
        "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 'demo', 'msg_1', 't', now())",
      )
      const waiting = await call(main, { method: 'POST', path: '/demo', body, headers }, { getRemainingTimeInMillis: () => 4_000 })
      expect(waiting).toMatchObject({ statusCode: 503, body: { code: 'event-in-progress' } })
      await database.query('ROLLBACK')
      expect(await send(body, { id: 'msg_1' })).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
  })

  it('is stored and otherwise ignored when nobody handles its type', async () => {
    await withFunctions([main], async database => {
      expect(await send('{"type":"weather.changed"}', { id: 'msg_9' })).toMatchObject({ statusCode: 200, body: { outcome: 'ignored' } })
      expect(await send('{"type":"weather.changed"}', { id: 'msg_9' })).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
      expect(await database.query('SELECT type, outcome FROM webhook_events')).toEqual([{ type: 'weather.changed', outcome: 'ignored' }])
    })
  })
})

describe('a request that is not accepted', () => {
  const good = completedTransaction()
  const old = Math.floor(Date.now() / 1000) - 3_600

  it.each([
    ['an unknown source', () => send(good, { path: '/nobody' }), 404, 'source-unknown'],
    ['no source', () => send(good, { path: '' }), 404, 'not-found'],
    [
      'no signature',
      () => call(main, { method: 'POST', path: '/demo', body: good, headers: { 'content-type': 'application/json' } }),
      401,
      'signature-missing',
    ],
    ['a signature over another body', () => send(good, { headers: signedHeaders(`${good} `) }), 401, 'signature-mismatch'],
    ['a stale time stamp', () => send(good, { timestamp: old }), 401, 'timestamp-too-old'],
    ['a body over 750 KB', () => send(Buffer.alloc(768_001)), 413, 'body-too-large'],
    ['a body that was compressed', () => send(gzipSync(good), { headers: { 'content-encoding': 'gzip' } }), 415, 'content-encoding-unsupported'],
    ['too long an id', () => send(good, { id: 'x'.repeat(256) }), 422, 'event-id-invalid'],
    ['another method', () => call(main, { method: 'PUT', path: '/demo' }), 405, 'method-not-allowed'],
  ])('answers %s with its own code and stores nothing', async (_what, request, status, code) => {
    await withFunctions([main], async database => {
      const answer = await request()
      expect(answer).toMatchObject({ statusCode: status, headers: { 'content-type': 'application/problem+json' }, body: { status, code } })
      expect(answer.headers['x-request-id']).toBeTruthy()
      expect(await database.query('SELECT * FROM webhook_events')).toEqual([])
    })
  })
})

describe('content that does not fit', () => {
  const parked = async (database: TestDatabase) => database.query('SELECT outcome, last_error AS error, invalid_paths AS paths FROM webhook_events')

  it.each<[string, string | Buffer, Record<string, string>, string, string[] | null]>([
    ['another content type', completedTransaction(), { 'content-type': 'text/plain' }, 'content-type-unsupported', null],
    ['bytes that are no JSON', Buffer.from([0xff, 0xfe]), {}, 'json-unreadable', null],
    ['an empty body', '', {}, 'json-unreadable', null],
    ['JSON of another shape', '[]', {}, 'content-invalid', ['/type']],
    ['a type with NUL', JSON.stringify({ type: 'a\0b' }), {}, 'content-invalid', ['/type']],
    ['a type that is no text', JSON.stringify({ type: 'a\ud800b' }), {}, 'content-invalid', ['/type']],
  ])('parks %s', async (_what, body, headers, error, paths) => {
    await withFunctions([main], async database => {
      expect(await send(body, { headers })).toMatchObject({ statusCode: 200, body: { outcome: 'failed' } })
      expect(await parked(database)).toEqual([{ outcome: 'failed', error, paths }])
    })
  })

  it('stores where it does not fit', async () => {
    await withFunctions([main], async database => {
      await send(completedTransaction({ amount: '1.23456', currency: 'eur', userId: 'a\u0000b' }))
      const [row] = await database.query<{ paths: string[] }>('SELECT invalid_paths AS paths FROM webhook_events')
      expect(row?.paths.sort()).toEqual(['/data/amount', '/data/currency', '/data/userId'])
    })
  })
})

describe('without a usable set-up', () => {
  it('answers 503 and claims nothing when the database cannot be reached', async () => {
    await withFunctions(
      [main],
      async () => {
        const answer = await call(
          main,
          { method: 'POST', path: '/demo', body: completedTransaction(), headers: signedHeaders('x') },
          { getRemainingTimeInMillis: () => 2_500 },
        )
        expect(answer.statusCode).toBe(401)
        const body = completedTransaction()
        const away = await call(
          main,
          { method: 'POST', path: '/demo', body, headers: signedHeaders(body) },
          { getRemainingTimeInMillis: () => 2_500 },
        )
        expect(away).toMatchObject({ statusCode: 503, body: { code: 'database-unavailable' } })
        expect(Number(away.headers['retry-after'])).toBeGreaterThan(0)
      },
      { DB_PORT: '1' },
    )
  })

  it('answers 503 without naming what is missing', async () => {
    await withFunctions([main], async () => undefined)
    await withFunctions(
      [main],
      async () => {
        const answer = await send(completedTransaction())
        expect(answer).toMatchObject({ statusCode: 503, body: { code: 'settings-invalid' } })
        expect(JSON.stringify(answer)).not.toContain('WEBHOOK_SECRET')
      },
      { WEBHOOK_SECRET_DEMO: 'whsec_short' },
    )
  })
})
