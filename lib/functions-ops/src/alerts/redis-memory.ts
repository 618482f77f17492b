import type { BufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { withRedis, type RedisConnection } from '../../../webhook-inbox/src/buffer/connection.ts'
import type { AlertMemory } from './memory.ts'

const PREFIX = '{alerts}:'
// What nobody has looked at for so long is forgotten, and said again if it still holds.
const KEPT_SECONDS = String(30 * 24 * 60 * 60)
const LONGEST_MS = 1_500

/** What all containers remember together: each key is set by exactly one of them, and taken away by exactly one. */
export function createRedisMemory(settings: BufferSettings, deadlineOf: () => Deadline | undefined): Required<AlertMemory> {
  async function ask<Result>(work: (redis: RedisConnection) => Promise<Result>): Promise<Result> {
    // Half of the time is for whoever is asked when this one is silent.
    const deadline = openDeadline({ remainingMs: Math.min(LONGEST_MS, (deadlineOf()?.remainingMs() ?? LONGEST_MS) / 2), reserveMs: 0 })
    return withRedis(settings, deadline, work).finally(() => deadline.clear())
  }
  return {
    settle: stand =>
      ask(async redis => {
        // All in one flight.
        const raised = stand.raised.map(kind => redis.send('SET', `${PREFIX}raised:${kind}`, '1', 'NX', 'EX', KEPT_SECONDS))
        const cleared = stand.cleared.map(kind => redis.send('DEL', `${PREFIX}raised:${kind}`))
        const [set, gone] = await Promise.all([Promise.all(raised), Promise.all(cleared)])
        return {
          raised: stand.raised.filter((_, index) => set[index] !== null),
          cleared: stand.cleared.filter((_, index) => gone[index] === 1),
        }
      }),
    strike: (kind, met) =>
      ask(async redis => {
        const key = `${PREFIX}strikes:${kind}`
        if (met) return Number(await redis.send('INCR', key))
        await redis.send('DEL', key)
        return 0
      }),
    isFirst: (code, forMs) => ask(async redis => (await redis.send('SET', `${PREFIX}said:${code}`, '1', 'NX', 'PX', String(forMs))) !== null),
  }
}
