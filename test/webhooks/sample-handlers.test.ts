import { describe, expect, it } from 'vitest'
import { main } from '../../packages/api/webhook/index.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { call, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'
import { completedTransaction, eventBody, signedHeaders, type SignOptions } from '../../lib/functions-devkit/test/support/webhooks.ts'

const SHORT = { getRemainingTimeInMillis: () => 4_000 }
const send = (body: string, { base64 = true, ...options }: SignOptions & { base64?: boolean } = {}, context = {}) =>
  call(main, { method: 'POST', path: '/demo', body, base64, headers: signedHeaders(body, options) }, context)
const parked = async (database: TestDatabase) => database.query('SELECT outcome, last_error AS error, invalid_paths AS paths FROM webhook_events')

describe('a completed transaction', () => {
  it.each([true, false])('is applied once when it is delivered twice (body in base64: %s)', async base64 => {
    await withFunctions([main], async database => {
      const body = completedTransaction({ transactionId: 'txn_1', amount: '12.5' })
      expect(await send(body, { id: 'msg_1', base64 })).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
      expect(await send(body, { id: 'msg_1', base64 })).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
      expect(await database.query('SELECT external_id, amount, currency, status, user_external_id, user_id FROM transactions')).toEqual([
        { external_id: 'txn_1', amount: '12.5000', currency: 'EUR', status: 'completed', user_external_id: 'usr_1', user_id: null },
      ])
      const [event] = await database.query(
        'SELECT source, external_id, type, outcome, attempts, processed_at IS NOT NULL AS processed FROM webhook_events',
      )
      expect(event).toEqual({ source: 'demo', external_id: 'msg_1', type: 'transaction.completed', outcome: 'applied', attempts: 1, processed: true })
    })
  })

  it('is linked to a known user', async () => {
    await withFunctions([main], async database => {
      await database.query(
        "INSERT INTO users (id, email, name, external_id, created_at, updated_at) VALUES ('0192b7f0-0000-7000-8000-000000000001', 'a@example.com', 'A', 'usr_1', now(), now())",
      )
      await send(completedTransaction())
      expect(await database.query('SELECT t.user_id = e.user_id AS same, t.user_id FROM transactions t, webhook_events e')).toEqual([
        { same: true, user_id: '0192b7f0-0000-7000-8000-000000000001' },
      ])
    })
  })

  it.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '2026-13-01T00:00:00Z', 'yesterday', '2026-01-01'])(
    'is parked when its time is %j',
    async completedAt => {
      await withFunctions([main], async database => {
        await send(completedTransaction({ completedAt }))
        expect(await parked(database)).toEqual([{ outcome: 'failed', error: 'content-invalid', paths: ['/data/completedAt'] }])
      })
    },
  )

  it.each([
    ['2026-01-01T00:00:00+23:00', '2025-12-31T01:00:00.000Z'],
    [`2026-01-01T00:00:00.${'1'.repeat(300)}Z`, '2026-01-01T00:00:00.111Z'],
  ])('with the time %s is stored with %s', async (completedAt, stored) => {
    await withFunctions([main], async database => {
      expect((await send(completedTransaction({ completedAt }))).statusCode).toBe(200)
      expect(await database.query('SELECT occurred_at FROM transactions')).toEqual([{ occurred_at: new Date(stored) }])
    })
  })

  it.each(['0', '0.0000', '-1', '1e3', '1,5', '1234567890123456', '.5', '1.', 'NaN'])('is parked when its amount is %j', async amount => {
    await withFunctions([main], async database => {
      await send(completedTransaction({ amount }))
      expect(await parked(database)).toEqual([{ outcome: 'failed', error: 'content-invalid', paths: ['/data/amount'] }])
    })
  })
})

describe('a created user', () => {
  it('whose email is taken is retried, then deferred', async () => {
    await withFunctions([main], async database => {
      const user = (userId: string) => eventBody('user.created', { userId, email: 'a@example.com', name: 'A' })
      expect(await send(user('usr_1'), { id: 'msg_1' })).toMatchObject({ body: { outcome: 'applied' } })
      expect(await send(user('usr_2'), { id: 'msg_2' }, SHORT)).toMatchObject({ statusCode: 202, body: { outcome: 'deferred' } })
      expect(await database.query('SELECT outcome, last_error FROM webhook_events ORDER BY external_id')).toMatchObject([
        { outcome: 'applied' },
        { outcome: null, last_error: 'email-taken' },
      ])
    })
  })
})
