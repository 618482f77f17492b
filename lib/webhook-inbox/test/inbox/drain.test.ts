import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main as maintenance } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { main as webhook } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { call, withEnvironment, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { gatherLogLines } from '../../../functions-devkit/test/support/log-lines.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const send = (body: string, id: string) =>
  call(webhook, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id }) }, { getRemainingTimeInMillis: () => 2_500 })
const maintain = (remainingMs = 20_000) => maintenance({ task: 'maintenance' }, { getRemainingTimeInMillis: () => remainingMs })

describe.skipIf(!hasRedis())('what was buffered', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  const keys = { PAYLOAD_KEY: Buffer.alloc(32, 9).toString('base64') }
  const bytes = async () => Number(await redis.command('GET', '{webhooks}:bytes'))
  const length = (name = 'events') => redis.command<number>('XLEN', `{webhooks}:${name}`)
  const withBuffer = (work: Parameters<typeof withFunctions>[1], changes: Record<string, string> = {}) =>
    withFunctions([webhook, maintenance], work, { REDIS_URL: redis.url, ...keys, ...changes })
  /** Calls the webhook function while the database is away. */
  const away = async (work: () => Promise<void>) => {
    await webhook.shutdown()
    await withEnvironment({ DB_PORT: '1' }, work)
    await webhook.shutdown()
  }

  it('is taken into the inbox once, in the order in which it came, and the buffer is empty then', async () => {
    await withBuffer(async database => {
      await away(async () => {
        for (let n = 0; n < 30; n += 1)
          expect(await send(completedTransaction({ transactionId: `txn_${n}` }), `msg_${n}`)).toMatchObject({ statusCode: 202 })
        // The sender did not wait for the answer.
        expect(await send(completedTransaction({ transactionId: 'txn_0' }), 'msg_0')).toMatchObject({ statusCode: 202 })
      })
      expect(await bytes()).toBeGreaterThan(0)
      expect(await maintain()).toMatchObject({ complete: true, buffer: { drained: 31, parked: 0, left: 0 } })
      const order = await database.query<{ id: string }>('SELECT external_id AS id FROM webhook_events ORDER BY processed_at')
      expect(order.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, n) => `msg_${n}`))
      expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 30 }])
      expect([await length(), await bytes()]).toEqual([0, 0])
      expect(await maintain()).toMatchObject({ complete: true, buffer: { drained: 0, left: 0 } })
    })
  })

  it('cannot be read in the buffer without the key', async () => {
    await withBuffer(async () => {
      await away(async () => {
        await send(completedTransaction({ userId: 'somebody' }), 'msg_1')
      })
      expect(JSON.stringify(await redis.command('XRANGE', '{webhooks}:events', '-', '+'))).not.toContain('somebody')
    })
  })

  it('is only recorded when its handler has run already', async () => {
    await withBuffer(
      async database => {
        const alert = eventBody('alert.raised', { code: 'disk', severity: 'critical' })
        const lines = await gatherLogLines(async () => {
          await away(async () => {
            expect(await send(alert, 'msg_1')).toMatchObject({ statusCode: 200 })
          })
          expect(await maintain()).toMatchObject({ buffer: { drained: 1 } })
          expect(await send(alert, 'msg_1')).toMatchObject({ body: { outcome: 'duplicate', first: 'applied' } })
        })
        expect(lines.filter(({ event }) => event === 'alert.raised')).toHaveLength(1)
        expect(await database.query('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'applied' }])
      },
      { LOG_LEVEL: 'warn' },
    )
  })

  it('is done once when the drain was killed between the inbox and the buffer, and left-overs come first', async () => {
    await withBuffer(async database => {
      await away(async () => {
        for (let n = 0; n < 4; n += 1) await send(completedTransaction(), `msg_${n}`)
      })
      // As a drain leaves it that was cut off: read, the first of them applied, nothing taken out, and its lock gone.
      await redis.command('XGROUP', 'CREATE', '{webhooks}:events', 'drain', '0')
      await redis.command('XREADGROUP', 'GROUP', 'drain', 'another', 'COUNT', '3', 'STREAMS', '{webhooks}:events', '>')
      expect(await send(completedTransaction(), 'msg_0')).toMatchObject({ body: { outcome: 'applied' } })
      expect(await maintain()).toMatchObject({ buffer: { drained: 4, left: 0 } })
      expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 4 }])
      expect(await bytes()).toBe(0)
    })
  })

  it('waits while another drains', async () => {
    await withBuffer(async () => {
      await away(async () => {
        await send(completedTransaction(), 'msg_1')
      })
      await redis.command('SET', '{webhooks}:drain', 'another')
      expect(await maintain()).toMatchObject({ outcome: 'incomplete', buffer: { drained: 0, left: 1 } })
      await redis.command('DEL', '{webhooks}:drain')
      expect(await maintain()).toMatchObject({ outcome: 'complete', buffer: { drained: 1, left: 0 } })
    })
  })

  it('is applied once when it comes again while a drain runs', async () => {
    await withBuffer(
      async database => {
        const bodies = Array.from({ length: 25 }, () => completedTransaction())
        await away(async () => {
          for (const [n, body] of bodies.entries()) await send(body, `msg_${n}`)
        })
        const [report, ...answers] = await Promise.all([maintain(), maintain(), ...bodies.map((body, n) => send(body, `msg_${n}`))])
        expect(report).not.toHaveProperty('error')
        expect(answers).not.toContainEqual(expect.objectContaining({ statusCode: 503 }))
        await maintain()
        expect(await length()).toBe(0)
        expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 25 }])
      },
      { DB_POOL_MAX: '8' },
    )
  })

  it('goes to the inbox as deferred or parked when it cannot be applied', async () => {
    await withBuffer(async database => {
      await away(async () => {
        await send(completedTransaction(), 'msg_1')
      })
      await database.query('ALTER TABLE transactions RENAME TO elsewhere')
      expect(await maintain()).toMatchObject({ buffer: { drained: 1, left: 0 } })
      expect(await database.query('SELECT external_id AS id, outcome FROM webhook_events')).toEqual([{ id: 'msg_1', outcome: 'failed' }])
    })
  })

  it('is parked in the buffer when it cannot be read, and the rest goes on', async () => {
    await withBuffer(async () => {
      await away(async () => {
        await send(completedTransaction(), 'msg_1')
      })
      await redis.command('XADD', '{webhooks}:events', '*', 'entry', 'nonsense', 'size', '8')
      await away(async () => {
        await send(completedTransaction(), 'msg_2')
      })
      expect(await maintain()).toMatchObject({ buffer: { drained: 2, parked: 1, left: 0 } })
      expect(await length('parked')).toBe(1)
      const ask = (input: object) => maintenance({ task: 'webhooks', ...input }, { getRemainingTimeInMillis: () => 20_000 })
      expect(await ask({ action: 'list' })).toMatchObject({ buffer: { waiting: 0, parked: 1 } })
      expect(await ask({ action: 'retry', id: 'buffer' })).toEqual({ retried: 1 })
      expect([await length(), await length('parked')]).toEqual([1, 0])
    })
  })

  it('is taken in by a run that finds the memory of the server full, by which nothing more can be buffered', async () => {
    await withBuffer(async database => {
      try {
        await away(async () => {
          for (let n = 0; n < 3; n += 1) await send(completedTransaction(), `msg_${n}`)
          await redis.command('CONFIG', 'SET', 'maxmemory', '1')
          expect(await send(completedTransaction(), 'msg_3')).toMatchObject({ statusCode: 503 })
        })
        expect(await maintain()).toMatchObject({ outcome: 'complete', buffer: { drained: 3, left: 0 } })
        expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 3 }])
      } finally {
        await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      }
    })
  })

  it('is counted anew when somebody has trimmed the stream or taken the count away', async () => {
    await withBuffer(async () => {
      await away(async () => {
        await send(completedTransaction(), 'msg_1')
        const one = await bytes()
        await redis.command('XTRIM', '{webhooks}:events', 'MAXLEN', '0')
        await send(completedTransaction(), 'msg_2')
        expect(await bytes()).toBe(one)
        for (let n = 0; n < 25; n += 1) await redis.command('XADD', '{webhooks}:parked', '*', 'entry', 'nonsense', 'size', '8', 'reason', 'r')
        await redis.command('DEL', '{webhooks}:bytes')
        await send(completedTransaction(), 'msg_3')
        expect(await bytes()).toBe(2 * one + 25 * 8)
        await redis.command('DEL', '{webhooks}:bytes', '{webhooks}:parked')
      })
      expect(await maintain()).toMatchObject({ buffer: { drained: 2, left: 0 } })
      expect(await bytes()).toBe(0)
    })
  })

  it('leaves nothing on the server that grows with the runs', async () => {
    await withBuffer(async () => {
      for (let n = 0; n < 2; n += 1) {
        await away(async () => {
          await send(completedTransaction(), `msg_${n}`)
        })
        expect(await maintain()).toMatchObject({ buffer: { drained: 1 } })
      }
      expect(await redis.command('XINFO', 'CONSUMERS', '{webhooks}:events', 'drain')).toHaveLength(1)
    })
  })

  it('stays where it is while the database is away, and fails the run when the buffer itself is', async () => {
    await withBuffer(async () => {
      await away(async () => {
        await send(completedTransaction(), 'msg_1')
        await maintenance.shutdown()
        expect(await maintain(3_000)).toMatchObject({ error: { code: 'database-unavailable' } })
        await maintenance.shutdown()
      })
      expect(await length()).toBe(1)
      await redis.kill()
      const list = await maintenance({ task: 'webhooks', action: 'list' }, { getRemainingTimeInMillis: () => 20_000 })
      expect(list).toEqual({ events: [], buffer: { error: 'buffer-unreachable' } })
      expect(await maintain(5_000)).toMatchObject({ outcome: 'failed', buffer: { error: 'buffer-unreachable' } })
      await redis.start()
      // Redis was killed right after it had acknowledged the event.
      expect(await maintain()).toMatchObject({ outcome: 'complete', buffer: { drained: 1 } })
    })
  })
})
