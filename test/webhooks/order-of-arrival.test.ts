import { describe, expect, it } from 'vitest'
import { main as webhook } from '../../packages/api/webhook/index.ts'
import { call, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

const send = (body: string, id: string) => call(webhook, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id }) })

describe('events in any order of arrival', () => {
  const at = (minute: number) => `2026-01-01T00:0${minute}:00Z`
  const money = { transactionId: 'txn_1', userId: 'usr_1', amount: '5', currency: 'EUR' }
  const events = {
    user: eventBody('user.created', { userId: 'usr_1', email: 'a@example.com', name: 'Old' }, at(0)),
    renamed: eventBody('user.updated', { userId: 'usr_1', email: 'a@example.com', name: 'New' }, at(1)),
    failed: eventBody('transaction.failed', { ...money, failedAt: at(2) }),
    completed: eventBody('transaction.completed', money, at(3)),
    refunded: eventBody('transaction.refunded', { ...money, refundedAt: at(1) }),
  }
  type Name = keyof typeof events
  const all = ['user', 'renamed', 'failed', 'completed', 'refunded'] as const
  const orders: [Name[], string][] = [
    [[...all], 'refunded'],
    [[...all].reverse(), 'refunded'],
    [['completed', 'failed', 'renamed', 'user'], 'completed'],
    [['failed', 'user', 'completed', 'renamed'], 'completed'],
    [['refunded', 'completed', 'user', 'failed', 'renamed'], 'refunded'],
  ]

  it.each(orders)('%j leave the status %s, the link to the user and the newest name', async (order, status) => {
    await withFunctions([webhook], async database => {
      for (const name of order) expect(await send(events[name], `msg_${name}`)).toMatchObject({ body: { outcome: 'applied' } })
      expect(await database.query('SELECT t.status, u.name, u.external_id AS id FROM transactions t JOIN users u ON u.id = t.user_id')).toEqual([
        { status, name: 'New', id: 'usr_1' },
      ])
    })
  })

  it.each([[['created', 'updated']], [['updated', 'created']]] as const)(
    'a user created and updated at the same instant ends updated: %j',
    async order => {
      await withFunctions([webhook], async database => {
        const event = (kind: string) => eventBody(`user.${kind}`, { userId: 'usr_1', email: 'a@example.com', name: kind }, at(0))
        for (const kind of order) expect(await send(event(kind), `msg_${kind}`)).toMatchObject({ body: { outcome: 'applied' } })
        expect(await database.query('SELECT name FROM users')).toEqual([{ name: 'updated' }])
      })
    },
  )

  it('links a transaction and its user that arrive concurrently', async () => {
    await withFunctions(
      [webhook],
      async database => {
        const pairs = Array.from({ length: 15 }, (_, n) => [
          send(eventBody('user.created', { userId: `usr_${n}`, email: `${n}@example.com`, name: 'A' }), `user_${n}`),
          send(completedTransaction({ userId: `usr_${n}` }), `money_${n}`),
        ])
        const answers = await Promise.all(pairs.flat())
        expect(answers.filter(({ body }) => body.outcome === 'applied')).toHaveLength(30)
        expect(await database.query('SELECT count(user_id)::int AS linked, count(*)::int AS all FROM transactions')).toEqual([
          { linked: 15, all: 15 },
        ])
      },
      { DB_POOL_MAX: '10' },
    )
  })
})
