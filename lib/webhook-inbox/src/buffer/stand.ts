import type { BufferSettings } from '../settings/buffer.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { withRedis } from './connection.ts'
import { BYTES, OLDEST_MS, PARKED, STREAM } from './names.ts'

/** What lies in the outage buffer. */
export interface BufferStand {
  readonly waiting: number
  readonly parked: number
  readonly bytes: number
  /** For how long the oldest of those that wait has waited, in ms; 0 when none does. */
  readonly oldestMs: number
  /** How much of what it may hold that is. */
  readonly percent: number
}

/** @throws BufferError */
export async function bufferStand(settings: BufferSettings, deadline: Deadline): Promise<BufferStand> {
  return withRedis(settings, deadline, async redis => {
    const [waiting, parked, bytes, oldest] = await Promise.all([
      redis.send('XLEN', STREAM),
      redis.send('XLEN', PARKED),
      redis.send('GET', BYTES),
      redis.send('EVAL', OLDEST_MS, '1', STREAM),
    ])
    const percent = Math.round((Number(bytes) * 100) / settings.maxBytes)
    return { waiting: Number(waiting), parked: Number(parked), bytes: Number(bytes), oldestMs: Math.max(0, Number(oldest)), percent }
  })
}
