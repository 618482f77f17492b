import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createRedisBuffer } from '../../src/buffer/redis-buffer.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

// What the outage buffer has taken is there after its server is killed; what the server could not keep is refused.

const EVENTS = 20
const keys = { current: undefined, byId: new Map() }

/** Puts events into the buffer; resolves to how many it has taken, and with which code it refused the first other one. */
async function putAll(url: string): Promise<{ taken: number; refused: string | undefined }> {
  const buffer = createRedisBuffer({ url, ca: undefined, durable: 'proven', maxBytes: 1_000_000 }, keys)
  let taken = 0
  let refused: string | undefined
  for (let id = 0; id < EVENTS; id += 1) {
    const deadline = openDeadline({ remainingMs: 2_000, reserveMs: 0 })
    const delivery = { source: 'demo', body: Buffer.from(`{"id":${id}}`), headers: {}, verdict: 'standard', receivedAt: new Date() }
    await buffer
      .put(delivery, { applied: false, deadline })
      .then(
        () => (taken += 1),
        (error: { code: string }) => (refused ??= error.code),
      )
      .finally(() => deadline.clear())
  }
  return { taken, refused }
}

async function keptAfterCrash(redis: RedisServer): Promise<number> {
  await redis.kill()
  await redis.start()
  return Number(await redis.command('XLEN', '{webhooks}:events'))
}

async function withRedis(settings: Record<string, string>, work: (redis: RedisServer) => Promise<void>): Promise<void> {
  const redis = await startRedis(settings)
  try {
    await work(redis)
  } finally {
    await redis.stop()
  }
}

/** Keeps a rewrite of the append-only file from ending: each key takes it this long, in µs. */
const SLOW_REWRITE = { 'rdb-key-save-delay': '1000000' }
const fill = async (redis: RedisServer) => redis.command('EVAL', "for key = 1, 30 do redis.call('SET', 'key' .. key, 1) end", '0')

async function untilRewritten(redis: RedisServer): Promise<void> {
  while (/aof_rewrite_in_progress:1|aof_rewrites:0/.test(await redis.command<string>('INFO', 'persistence'))) await sleep(20)
}

describe.skipIf(!hasRedis())('a crash of the server of the outage buffer', () => {
  it('loses nothing that was taken', async () => {
    await withRedis({}, async redis => {
      expect(await putAll(redis.url)).toEqual({ taken: EVENTS, refused: undefined })
      expect(await keptAfterCrash(redis)).toBe(EVENTS)
    })
  })

  it.each([
    ['the first rewrite is under way', 0],
    ['the first rewrite since the file was turned on again is under way', 1],
  ])('refuses events while %s', async (_when, before) => {
    await withRedis({}, async redis => {
      for (let rewrites = 0; rewrites < before; rewrites += 1) {
        await redis.command('BGREWRITEAOF')
        await untilRewritten(redis)
      }
      await redis.command('CONFIG', 'SET', 'appendonly', 'no')
      await fill(redis)
      for (const [name, value] of Object.entries(SLOW_REWRITE)) await redis.command('CONFIG', 'SET', name, value)
      await redis.command('CONFIG', 'SET', 'appendonly', 'yes')
      const { taken, refused } = await putAll(redis.url)
      expect(await keptAfterCrash(redis)).toBe(taken)
      expect(refused).toBe('buffer-not-durable')
    })
  })

  it('refuses events once the append-only file is turned off', async () => {
    await withRedis({}, async redis => {
      await redis.command('CONFIG', 'SET', 'appendonly', 'no')
      expect(await putAll(redis.url)).toEqual({ taken: 0, refused: 'buffer-not-durable' })
    })
  })

  it('refuses events while the server is a replica that takes writes', async () => {
    await withRedis({}, async primary => {
      const { port, password } = new URL(primary.url)
      await withRedis({ 'replica-read-only': 'no', masterauth: password, replicaof: `127.0.0.1 ${port}` }, async replica => {
        expect(await putAll(replica.url)).toEqual({ taken: 0, refused: 'buffer-replica' })
      })
    })
  })

  it('takes events again once the first rewrite has ended', async () => {
    await withRedis({}, async redis => {
      await redis.command('CONFIG', 'SET', 'appendonly', 'no')
      await redis.command('CONFIG', 'SET', 'appendonly', 'yes')
      await untilRewritten(redis)
      expect((await putAll(redis.url)).taken).toBe(EVENTS)
      expect(await keptAfterCrash(redis)).toBe(EVENTS)
    })
  })
})
