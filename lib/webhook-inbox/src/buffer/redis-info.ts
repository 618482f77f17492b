import type { Reply } from './connection.ts'

/** The oldest Redis that is supported: XAUTOCLAIM, which drains what a cut-off run has left, came with it. */
export const LEAST_REDIS = '6.2'
/** The first Redis with WAITAOF. Valkey announces itself as this one. */
export const WAITS_FOR_DISK = '7.2'

/** What INFO says, by name. */
export type RedisInfo = Readonly<Record<string, string | undefined>>

export function readInfo(reply: Reply): RedisInfo {
  const text = Buffer.isBuffer(reply) ? reply.toString() : String(reply)
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap(line => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : []
    }),
  )
}
