import type { BufferSettings } from '../../config/settings/buffer.ts'
import type { Deadline } from '../../invocation/src/deadline.ts'
import { withRedis } from './connection.ts'
import { BYTES, PARKED, RETURN_PARKED, STREAM } from './names.ts'

/** What lies in the outage buffer. */
export interface BufferStand {
  readonly waiting: number
  readonly parked: number
  readonly bytes: number
  /** How much of what it may hold that is. */
  readonly percent: number
}

/** @throws BufferError */
export async function bufferStand(settings: BufferSettings, deadline: Deadline): Promise<BufferStand> {
  return withRedis(settings, deadline, async redis => {
    const [waiting, parked, bytes] = await Promise.all([redis.send('XLEN', STREAM), redis.send('XLEN', PARKED), redis.send('GET', BYTES)])
    const percent = Math.round((Number(bytes) * 100) / settings.maxBytes)
    return { waiting: Number(waiting), parked: Number(parked), bytes: Number(bytes), percent }
  })
}

/**
 * Puts what is parked in the buffer back in its line, and resolves to how many entries there were.
 * @throws BufferError
 */
export async function returnParked(settings: BufferSettings, deadline: Deadline): Promise<number> {
  return withRedis(settings, deadline, async redis => Number(await redis.send('EVAL', RETURN_PARKED, '2', STREAM, PARKED)))
}
