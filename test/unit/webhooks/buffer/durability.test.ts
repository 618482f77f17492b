import { expect, it } from 'vitest'
import type { RedisConnection, Reply } from '../../../../lib/webhooks/buffer/connection.ts'
import { isOnDisk, requireKeeping } from '../../../../lib/webhooks/buffer/durability.ts'

/** A server that answers each command, by its first two words, in one way. */
const answering = (answers: Record<string, string>): RedisConnection => ({
  send: async (...command) => {
    const answer = answers[command.slice(0, 2).join(' ')]
    if (answer === undefined) throw new Error('NOPERM this user has no permissions')
    return command[0] === 'CONFIG' ? [Buffer.from('appendfsync'), Buffer.from(answer)] : Buffer.from(answer)
  },
})
const unknown = () => Promise.reject(new Error("ERR unknown command 'WAITAOF', with args beginning with"))
const waited = (...answer: Reply[]) => Promise.resolve(answer)

it.each([
  ['one server has it on its disk', answering({}), () => waited(1, 0), true],
  ['none had in time', answering({}), () => waited(0, 0), false],
  ['it cannot be waited for, and the server flushes before it answers', answering({ 'CONFIG GET': 'always' }), unknown, true],
  ['it cannot be waited for, and the server flushes later', answering({ 'CONFIG GET': 'everysec' }), unknown, false],
  ['it cannot be waited for, and how the server flushes may not be asked', answering({}), unknown, false],
])('is on the disk or not: %s', async (_what, redis, waiting, expected) => {
  expect(await isOnDisk(redis, waiting())).toBe(expected)
})

it('tells an error of the wait from a server that does not know it', async () => {
  await expect(isOnDisk(answering({ 'CONFIG GET': 'always' }), Promise.reject(new Error('Socket closed unexpectedly')))).rejects.toThrow(
    'Socket closed',
  )
})

const info = (policy: string, aof: string) =>
  answering({ 'INFO memory': `used:1\r\nmaxmemory_policy:${policy}\r\n`, 'INFO persistence': `aof_enabled:${aof}\r\n` })

it.each([
  ['noeviction', '1', false, undefined],
  ['volatile-lru', '1', false, undefined],
  ['allkeys-lfu', '1', false, 'buffer-evicts'],
  ['allkeys-lfu', '1', true, 'buffer-evicts'],
  ['noeviction', '0', false, 'buffer-not-durable'],
  ['noeviction', '0', true, undefined],
])('with %s, append-only file %s, declared %s: %s', async (policy, aof, declared, code) => {
  const outcome = await requireKeeping(info(policy, aof), { declared }).catch((error: unknown) => (error as { code: string }).code)
  expect(outcome).toBe(code)
})
