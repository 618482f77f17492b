import { BufferError } from './buffer.ts'
import type { RedisConnection, Reply } from './connection.ts'

// Least time for the server's answer that an entry has reached its disk.
const LEAST_WAIT_MS = 100

/**
 * Makes sure that a server keeps what it is given: it must not throw data away when its memory is full, and must write
 * an append-only file.
 * @throws BufferError
 */
export async function requireKeeping(redis: RedisConnection, { declared }: { declared: boolean }): Promise<void> {
  const [memory, persistence] = (await Promise.all([redis.send('INFO', 'memory'), redis.send('INFO', 'persistence')])).map(textOf)
  if (fieldOf(memory, 'maxmemory_policy')?.startsWith('allkeys') === true) throw new BufferError('buffer-evicts')
  if (!declared && fieldOf(persistence, 'aof_enabled') !== '1') throw new BufferError('buffer-not-durable')
}

/**
 * Waits until what was just written on this connection is on the server's disk: WAITAOF (Redis 7.2, Valkey), or where
 * that is not known by a server that flushes before it answers.
 * @returns whether that is certain
 */
export async function isOnDisk(redis: RedisConnection, waiting: Promise<Reply>): Promise<boolean> {
  try {
    const answer = await waiting
    return Array.isArray(answer) && Number(answer[0]) >= 1
  } catch (error) {
    if (!/unknown command/i.test(String(error))) throw error
  }
  // Not everybody may ask for it; BUFFER_DURABLE is for them.
  const answer = await redis.send('CONFIG', 'GET', 'appendfsync').catch(() => null)
  return Array.isArray(answer) && textOf(answer[1] as Reply) === 'always'
}

/** Asks for what `isOnDisk` waits for; sent together with what was written. */
export function askForDisk(redis: RedisConnection, withinMs: number): Promise<Reply> {
  return redis.send('WAITAOF', '1', '0', String(Math.max(LEAST_WAIT_MS, Math.floor(withinMs))))
}

function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply)
}

function fieldOf(info: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info ?? '')?.[1]
}
