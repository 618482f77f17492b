import { isOlder } from '../../../functions-runtime/src/version.ts'
import { BufferError, type BufferFault } from './buffer.ts'
import type { RedisConnection, Reply } from './connection.ts'
import { LEAST_REDIS, readInfo, WAITS_FOR_DISK, type RedisInfo } from './redis-info.ts'

// Least time for the server's answer that an entry has reached its disk.
const LEAST_WAIT_MS = 100

/**
 * Makes sure that a server can keep what it is given; `declared` leaves out what somebody vouches for.
 * @throws BufferError
 */
export async function requireKeeping(redis: RedisConnection, { declared }: { declared: boolean }): Promise<void> {
  const fault = faultOf(readInfo(await redis.send('INFO')), { declared })
  if (fault !== undefined) throw new BufferError(fault)
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
  // Not everybody may ask for the setting; BUFFER_DURABLE is for them. The rewrite may have begun after the last look.
  const [settings, info] = await Promise.all([redis.send('CONFIG', 'GET', '*appendfsync*').catch(() => null), redis.send('INFO')])
  return flushesEachWrite(settings) && faultOf(readInfo(info), { declared: false }) === undefined
}

// While a child process saves the data, `no-appendfsync-on-rewrite` has the server flush nothing.
function flushesEachWrite(settings: Reply): boolean {
  if (!Array.isArray(settings)) return false
  const words = settings.map(String)
  const valueOf = (name: string) => words[words.indexOf(name) + 1]
  return valueOf('appendfsync') === 'always' && valueOf('no-appendfsync-on-rewrite') === 'no'
}

/** Asks for what `isOnDisk` waits for; sent together with what was written. */
export function askForDisk(redis: RedisConnection, withinMs: number): Promise<Reply> {
  return redis.send('WAITAOF', '1', '0', String(Math.max(LEAST_WAIT_MS, Math.floor(withinMs))))
}

function faultOf(info: RedisInfo, { declared }: { declared: boolean }): BufferFault | undefined {
  const { redis_version: version, maxmemory_policy: policy = '', aof_enabled: appends } = info
  if (version !== undefined && isOlder(version, LEAST_REDIS)) return 'buffer-too-old'
  if (info.loading === '1') return 'buffer-loading'
  // Its primary's next full copy replaces what it has taken.
  if (info.role === 'slave') return 'buffer-replica'
  if (policy.startsWith('allkeys')) return 'buffer-evicts'
  if (declared) return undefined
  if (appends !== '1' || info.aof_last_write_status === 'err') return 'buffer-not-durable'
  return losesFirstRewrite(info) ? 'buffer-not-durable' : undefined
}

/**
 * Until its first rewrite has succeeded, the append-only file is not read at a restart. WAITAOF says so; without it the
 * first rewrite cannot be told from a later one.
 */
function losesFirstRewrite(info: RedisInfo): boolean {
  const { redis_version: version } = info
  if (version !== undefined && !isOlder(version, WAITS_FOR_DISK)) return false
  return info.aof_rewrite_in_progress === '1' || info.aof_rewrite_scheduled === '1' || info.aof_last_bgrewrite_status === 'err'
}
