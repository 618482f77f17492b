import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod/mini'
import { transactionCompleted } from '../../lib/app/webhooks/handlers/transaction-completed.ts'
import { userCreated } from '../../lib/app/webhooks/handlers/user-created.ts'
import { userUpdated } from '../../lib/app/webhooks/handlers/user-updated.ts'
import { defineHandler, later } from '../../lib/webhook-inbox/src/inbox/handler.ts'
import { withInbox } from '../../lib/functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../lib/functions-devkit/test/support/redis.ts'

const setStock = defineHandler({
  type: 'stock.counted',
  schema: z.object({ item: z.string(), left: z.string() }),
  needsDatabase: true,
  async apply({ data, order }, { query }) {
    await query(
      `INSERT INTO stock AS known VALUES ($item, $left, $order)
       ON CONFLICT (item) DO UPDATE SET left_over = EXCLUDED.left_over, told_by = EXCLUDED.told_by WHERE known.told_by < EXCLUDED.told_by`,
      { ...data, order },
    )
  },
})
const STOCK = 'CREATE TABLE stock (item text PRIMARY KEY, left_over text, told_by text COLLATE "C")'
const handlers = [userCreated, userUpdated, transactionCompleted, setStock]
// Two ties: the first two, and the last two. No collation of a language sorts these ids as their bytes do.
const told = [
  { at: '2026-01-01T00:00:01Z', id: 'B' },
  { at: '2026-01-01T00:00:01.000Z', id: 'a' },
  { at: '2026-01-01T00:00:02Z', id: 'É' },
  { at: '2026-01-01T01:00:02+01:00', id: '_' },
]
const last = 'É'

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map(rest => [item, ...rest]))
}
const orders = permutations(told)

describe('four events with two ties, in each order of arrival', () => {
  it('leave the same user', async () => {
    await withInbox({ handlers }, async inbox => {
      for (const [n, order] of orders.entries()) {
        for (const { at, id } of order) {
          const data = { userId: `usr_${n}`, email: `usr_${n}@example.com`, name: id }
          expect(await inbox.send({ type: 'user.updated', timestamp: at, data }, { id: `${n} ${id}`, source: 'standard' })).toMatchObject({
            status: 200,
          })
        }
      }
      expect(await inbox.database.query('SELECT name, count(*)::int AS times FROM users GROUP BY 1')).toEqual([{ name: last, times: orders.length }])
    })
  }, 60_000)

  it('leave the same user when the first two created it', async () => {
    await withInbox({ handlers }, async inbox => {
      for (const [n, order] of orders.entries()) {
        for (const { id } of order) {
          const [type, data] = [
            id === 'É' || id === '_' ? 'user.created' : 'user.updated',
            { userId: `usr_${n}`, email: `usr_${n}@example.com`, name: id },
          ]
          await inbox.send({ type, timestamp: '2026-01-01T00:00:01Z', data }, { id: `${n} ${id}` })
        }
      }
      expect(await inbox.database.query('SELECT name, count(*)::int AS times FROM users GROUP BY 1')).toEqual([{ name: 'a', times: orders.length }])
    })
  }, 60_000)

  it('leave the same transaction', async () => {
    await withInbox({ handlers }, async inbox => {
      for (const [n, order] of orders.entries()) {
        for (const { at, id } of order) {
          const amount = String(1 + told.findIndex(one => one.id === id))
          const data = { transactionId: `txn_${n}`, userId: 'usr_1', amount, currency: 'EUR', completedAt: at }
          // What ties is when it was completed, not when it was sent.
          await inbox.send({ type: 'transaction.completed', timestamp: '2026-01-02T00:00:00Z', data }, { id: `${n} ${id}` })
        }
      }
      expect(await inbox.database.query('SELECT amount::int, count(*)::int AS times FROM transactions GROUP BY 1')).toEqual([
        { amount: 3, times: orders.length },
      ])
    })
  }, 60_000)

  it('leave the same in the table of another handler, which compares one text', async () => {
    await withInbox({ handlers }, async inbox => {
      await inbox.database.query(STOCK)
      for (const [n, order] of orders.entries()) {
        for (const { at, id } of order)
          await inbox.send({ type: 'stock.counted', timestamp: at, data: { item: String(n), left: id } }, { id: `${n} ${id}` })
      }
      expect(await inbox.database.query('SELECT left_over AS left, count(*)::int AS times FROM stock GROUP BY 1')).toEqual([
        { left: last, times: orders.length },
      ])
    })
  }, 60_000)

  it('of two sources with the same id leave the same', async () => {
    await withInbox({ handlers }, async inbox => {
      await inbox.database.query(STOCK)
      for (const [item, sources] of [
        ['1', ['standard', 'partner']],
        ['2', ['partner', 'standard']],
      ] as const) {
        for (const source of sources) {
          const event = { id: `evt_${item}`, type: 'stock.counted', timestamp: '2026-01-01T00:00:01Z', data: { item, left: source } }
          await inbox.send(event, { id: event.id, source })
        }
      }
      expect(await inbox.database.query('SELECT DISTINCT left_over AS left FROM stock')).toEqual([{ left: 'standard' }])
    })
  })
})

describe('an event without a time', () => {
  const seen: string[] = []
  let failing = false
  beforeEach(() => {
    seen.length = 0
    failing = false
  })
  const noting = defineHandler({
    type: 't',
    schema: z.unknown(),
    needsDatabase: true,
    async apply({ occurredAt }) {
      seen.push(occurredAt)
      if (failing) throw later('not-yet')
    },
  })
  const event = { type: 't', data: {} }
  const FIRST = 'SELECT to_char(received_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\') AS at FROM webhook_events'

  it("counts by the database's clock, not by the container's", async () => {
    await withInbox({ handlers: [noting] }, async inbox => {
      await inbox.send(event, { id: 'evt_0' })
      const clock = vi.spyOn(Date, 'now').mockImplementation(() => 4_102_444_800_000)
      vi.useFakeTimers({ toFake: ['Date'], now: 4_102_444_800_000 })
      try {
        await inbox.send(event, { id: 'evt_1' })
      } finally {
        vi.useRealTimers()
        clock.mockRestore()
      }
      const stored = await inbox.database.query<{ at: string }>(`${FIRST} ORDER BY external_id`)
      expect(seen).toEqual(stored.map(({ at }) => at))
      expect(await inbox.database.query('SELECT 1 FROM webhook_events WHERE abs(extract(epoch FROM now() - received_at)) > 600')).toEqual([])
    })
  })

  it('keeps its first time when it is tried again', async () => {
    await withInbox({ handlers: [noting] }, async inbox => {
      failing = true
      expect(await inbox.send(event)).toMatchObject({ status: 202 })
      await inbox.database.query("UPDATE webhook_events SET received_at = '2026-01-01T00:00:00.123456Z'")
      await inbox.allDue()
      failing = false
      expect(await inbox.attempt()).toMatchObject({ applied: 1 })
      expect(seen.at(-1)).toBe('2026-01-01T00:00:00.123Z')
    })
  })

  it('is stored with the time of its first claim when that is taken back', async () => {
    await withInbox({ handlers: [noting] }, async inbox => {
      failing = true
      await inbox.send(event)
      expect(await inbox.database.query(FIRST)).toEqual([{ at: seen[0] }])
    })
  })

  it('keeps its first time when a parked one is delivered again', async () => {
    const failingOnce = defineHandler({
      ...noting,
      async apply({ occurredAt }) {
        seen.push(occurredAt)
        if (seen.length === 1) throw new Error('no')
      },
    })
    await withInbox({ handlers: [failingOnce], poisonStatus: 500 }, async inbox => {
      await inbox.send(event)
      await inbox.database.query("UPDATE webhook_events SET received_at = '2026-01-01T00:00:00Z'")
      expect(await inbox.send(event)).toMatchObject({ status: 200, body: { outcome: 'applied' } })
      expect(seen.at(-1)).toBe('2026-01-01T00:00:00.000Z')
    })
  })

  describe.skipIf(!hasRedis())('that was buffered', () => {
    let redis: RedisServer
    beforeAll(async () => {
      redis = await startRedis()
    })
    afterAll(() => redis.stop())
    const bufferedAt = async () => {
      const [[id = ''] = []] = await redis.command<[string][]>('XRANGE', '{webhooks}:events', '-', '+')
      return new Date(Number(id.split('-')[0])).toISOString()
    }

    it("counts by the clock of the buffer's server, and keeps that time", async () => {
      await withInbox({ handlers: [noting], redis }, async inbox => {
        await inbox.buffer(event)
        const at = await bufferedAt()
        // The database refuses it for a while, and a person puts it back.
        await inbox.database.query("ALTER TABLE webhook_events ADD CONSTRAINT refuse CHECK (external_id <> 'evt_1')")
        expect(await inbox.drain()).toMatchObject({ parked: 1 })
        await inbox.database.query('ALTER TABLE webhook_events DROP CONSTRAINT refuse')
        await inbox.manage({ action: 'retry', id: 'buffer' })
        expect(await inbox.drain()).toMatchObject({ drained: 1 })
        expect(await inbox.database.query(FIRST)).toEqual([{ at }])
        expect(seen.at(-1)).toBe(at)
      })
    })
  })
})
