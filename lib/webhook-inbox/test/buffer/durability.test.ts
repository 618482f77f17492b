import { expect, it } from 'vitest'
import type { RedisConnection, Reply } from '../../src/buffer/connection.ts'
import { isOnDisk, requireKeeping } from '../../src/buffer/durability.ts'

/** A server that answers each command, by its first two words, in one way. */
const answering = (answers: Record<string, string>): RedisConnection => ({
  send: async (...command) => {
    const answer = answers[command.slice(0, 2).join(' ')]
    if (answer === undefined) throw new Error('NOPERM this user has no permissions')
    return command[0] === 'CONFIG' ? answer.split(' ').map(word => Buffer.from(word)) : Buffer.from(answer)
  },
})
const unknown = () => Promise.reject(new Error("ERR unknown command 'WAITAOF', with args beginning with"))
const waited = (...answer: Reply[]) => Promise.resolve(answer)

const KEEPS = 'redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\n'

it.each([
  ['one server has it on its disk', answering({}), () => waited(1, 0), true],
  ['none had in time', answering({}), () => waited(0, 0), false],
  [
    'it cannot be waited for, and the server flushes before it answers',
    answering({ INFO: KEEPS, 'CONFIG GET': 'no-appendfsync-on-rewrite no appendfsync always' }),
    unknown,
    true,
  ],
  [
    'it cannot be waited for, and a rewrite has begun',
    answering({ INFO: `${KEEPS}aof_rewrite_in_progress:1\r\n`, 'CONFIG GET': 'no-appendfsync-on-rewrite no appendfsync always' }),
    unknown,
    false,
  ],
  [
    'it cannot be waited for, and the server flushes later',
    answering({ INFO: KEEPS, 'CONFIG GET': 'appendfsync everysec no-appendfsync-on-rewrite no' }),
    unknown,
    false,
  ],
  [
    'it cannot be waited for, and the server does not flush while it saves its data',
    answering({ INFO: KEEPS, 'CONFIG GET': 'no-appendfsync-on-rewrite yes appendfsync always' }),
    unknown,
    false,
  ],
  ['it cannot be waited for, and how the server flushes may not be asked', answering({ INFO: KEEPS }), unknown, false],
])('is on the disk or not: %s', async (_what, redis, waiting, expected) => {
  expect(await isOnDisk(redis, waiting())).toBe(expected)
})

it('tells an error of the wait from a server that does not know it', async () => {
  await expect(
    isOnDisk(answering({ 'CONFIG GET': 'no-appendfsync-on-rewrite no appendfsync always' }), Promise.reject(new Error('Socket closed unexpectedly'))),
  ).rejects.toThrow('Socket closed')
})

// A server that keeps everything, and what one line of its INFO may say instead.
it.each([
  [{}, undefined],
  [{ maxmemory_policy: 'volatile-lru' }, undefined],
  [{ maxmemory_policy: 'allkeys-lfu' }, 'buffer-evicts'],
  [{ role: 'slave' }, 'buffer-replica'],
  [{ loading: '1' }, 'buffer-loading'],
  [{ redis_version: '6.0.20' }, 'buffer-too-old'],
  [{ redis_version: '5.0.14' }, 'buffer-too-old'],
  [{ redis_version: '6.2.0' }, undefined],
  [{ redis_version: '10.0.1' }, undefined],
  [{ aof_last_write_status: 'err' }, 'buffer-not-durable'],
  [{ aof_rewrite_in_progress: '1' }, 'buffer-not-durable'],
  [{ aof_rewrite_scheduled: '1' }, 'buffer-not-durable'],
  [{ aof_last_bgrewrite_status: 'err' }, 'buffer-not-durable'],
  // From 7.2 on WAITAOF tells.
  [{ redis_version: '7.2.4', aof_rewrite_in_progress: '1' }, undefined],
  [{ redis_version: '8.0.0', aof_last_bgrewrite_status: 'err' }, undefined],
])('a server that says %o: %s', async (said, code) => {
  // A later line takes the place of an earlier one.
  const lines = Object.entries(said).map(([name, value]) => `${name}:${value}\r\n`)
  const redis = answering({ INFO: KEEPS + lines.join('') })
  for (const declared of [false, true]) {
    const outcome = await requireKeeping(redis, { declared }).catch((error: unknown) => (error as { code: string }).code)
    expect(outcome).toBe(declared && code === 'buffer-not-durable' ? undefined : code)
  }
})

it('takes a server without an append-only file only where that is declared', async () => {
  const redis = answering({ INFO: KEEPS.replace('aof_enabled:1', 'aof_enabled:0') })
  await expect(requireKeeping(redis, { declared: false })).rejects.toMatchObject({ code: 'buffer-not-durable' })
  await expect(requireKeeping(redis, { declared: true })).resolves.toBeUndefined()
})
