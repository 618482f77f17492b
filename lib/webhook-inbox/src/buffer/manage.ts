import type { BufferSettings } from '../settings/buffer.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { withRedis } from './connection.ts'
import { listParked, type ParkedEntry, type ReadParkedOptions } from './parked.ts'
import { PARKED, RETURN_PARKED, STREAM } from './names.ts'

/**
 * Lists what is parked in the buffer, the oldest first.
 * @throws BufferError
 */
export async function parkedInBuffer(
  settings: BufferSettings,
  { deadline, limit, ...options }: ReadParkedOptions & { deadline: Deadline; limit: number },
): Promise<ParkedEntry[]> {
  return withRedis(settings, deadline, redis => listParked(redis, limit, options))
}

/**
 * Puts what is parked in the buffer back in its line, and resolves to how many entries there were.
 * @throws BufferError
 */
export async function returnParked(settings: BufferSettings, deadline: Deadline): Promise<number> {
  return withRedis(settings, deadline, async redis => Number(await redis.send('EVAL', RETURN_PARKED, '2', STREAM, PARKED)))
}
