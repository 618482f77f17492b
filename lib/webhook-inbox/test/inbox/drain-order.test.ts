import { describedSources } from '../../../functions-devkit/test/application/lib/app/webhooks/sources.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { drainBuffer } from '../../src/buffer/drain.ts'
import { createRedisBuffer } from '../../src/buffer/redis-buffer.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'
import { completedTransaction, eventBody } from '../../../functions-devkit/test/support/webhooks.ts'

const keys = { current: undefined, byId: new Map() }
const logger = createLogger({ name: 'test', level: 'silent' })

describe.skipIf(!hasRedis())('a drain', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  const within = async <Result>(remainingMs: number, work: (deadline: ReturnType<typeof openDeadline>) => Promise<Result>) => {
    const deadline = openDeadline({ remainingMs, reserveMs: 0 })
    return work(deadline).finally(() => deadline.clear())
  }
  const settings = () => ({ url: redis.url, ca: undefined, durable: 'proven', maxBytes: 1_000_000 }) as const
  const drain = (database: Pick<DatabaseService, 'execute' | 'hasReported'>) =>
    within(12_000, deadline => drainBuffer({ settings: settings(), sources: describedSources, keys, database, deadline, logger, takeMs: 2_000 }))
  async function put(source: string, id: string): Promise<void> {
    const headers = { 'content-type': 'application/json', 'webhook-id': id }
    const body = Buffer.from(source === 'demo' ? eventBody('smoke.ping', {}) : JSON.stringify({ id, type: 'smoke.ping', data: {} }))
    const delivery = { source, body, headers, verdict: 'standard', receivedAt: new Date() }
    // Nothing but these is put into the buffer.
    await within(2_000, deadline => createRedisBuffer(settings(), keys).put(delivery as never, { applied: false, deadline }))
  }

  it('leaves what comes behind an event that is being worked on, of that sender alone', async () => {
    await withService(
      async ({ service, database }) => {
        for (const [source, id] of [
          ['demo', 'msg_1'],
          ['demo', 'msg_2'],
          ['partner', 'msg_3'],
        ] as const)
          await put(source, id)
        await database.query('BEGIN')
        await database.query(
          "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 'demo', 'msg_1', 't', now())",
        )
        expect(await drain(service)).toEqual({ drained: 1, parked: 0, left: 2 })
        await database.query('ROLLBACK')
        expect(await drain(service)).toEqual({ drained: 2, parked: 0, left: 0 })
        const order = await database.query<{ id: string }>('SELECT external_id AS id FROM webhook_events ORDER BY processed_at')
        expect(order.map(({ id }) => id)).toEqual(['msg_3', 'msg_1', 'msg_2'])
      },
      { variables: { DB_POOL_MAX: '2' } },
    )
  })

  it('ends when the database is away for a moment, so that nothing comes before what was to come first', async () => {
    await withService(async ({ service }) => {
      for (const id of ['msg_1', 'msg_2']) await put('demo', id)
      let calls = 0
      const shaky: Pick<DatabaseService, 'execute' | 'hasReported'> = {
        hasReported: error => error instanceof DatabaseUnavailableError || service.hasReported(error),
        execute: (...args) => {
          calls += 1
          return calls === 1 ? Promise.reject(new DatabaseUnavailableError({ retryAfterMs: 1_000 })) : service.execute(...args)
        },
      }
      expect(await drain(shaky)).toEqual({ drained: 0, parked: 0, left: 2 })
      expect(await drain(shaky)).toEqual({ drained: 2, parked: 0, left: 0 })
    })
  })

  it('asks once about many parked entries', async () => {
    await withService(async ({ service, database }) => {
      await database.query("ALTER TABLE webhook_events ADD CHECK (external_id NOT LIKE 'msg_%')")
      const ids = Array.from({ length: 45 }, (_, index) => index)
      const buffer = createRedisBuffer(settings(), keys)
      for (const index of ids) {
        const body = Buffer.from(completedTransaction({ userId: `usr_${index}` }))
        const headers = { 'content-type': 'application/json', 'webhook-id': `msg_${index}` }
        const delivery = { source: 'demo', body, headers, verdict: 'standard', receivedAt: new Date() }
        await within(2_000, deadline => buffer.put(delivery as never, { applied: false, deadline }))
      }
      await database.query(
        `INSERT INTO users (id, external_id, erased_at, created_at, updated_at)
         SELECT gen_random_uuid(), 'usr_' || n, now(), now(), now() FROM unnest(ARRAY[0, 1, 22, 44]) AS n`,
      )
      let asked = 0
      const counting: Pick<DatabaseService, 'execute' | 'hasReported'> = {
        hasReported: error => service.hasReported(error),
        execute: (name, ...rest) => {
          asked += name === 'buffer.erased' ? 1 : 0
          return service.execute(name, ...rest)
        },
      }
      expect(await drain(counting)).toEqual({ drained: 0, parked: 45, left: 0 })
      expect(await redis.command('XLEN', '{webhooks}:parked')).toBe(45)
      await drain(counting)
      expect(asked).toBe(1)
      expect(await redis.command('XLEN', '{webhooks}:parked')).toBe(41)
    })
  })

  it('leaves alone a lock that is another’s by now', async () => {
    await withService(async ({ service }) => {
      await put('demo', 'msg_1')
      const slow: Pick<DatabaseService, 'execute' | 'hasReported'> = {
        hasReported: error => error instanceof DatabaseUnavailableError || service.hasReported(error),
        execute: async (...args) => {
          await redis.command('SET', '{webhooks}:drain', 'another')
          return service.execute(...args)
        },
      }
      await drain(slow)
      expect(await redis.command('GET', '{webhooks}:drain')).toBe('another')
    })
  })
})
