import type { BufferSettings } from '../settings/buffer.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import { BufferError, type EventBuffer } from './buffer.ts'
import { withRedis } from './connection.ts'
import { askForDisk, isOnDisk, requireKeeping } from './durability.ts'
import { writeEntry } from './entry.ts'
import { ADD, BYTES, GROUP, PARKED, sizeOf, STREAM, TAKE_OUT } from './names.ts'

// The server's answer to WAITAOF needs this long to get here.
const ANSWER_MS = 100

/** A stream of Redis or Valkey as outage buffer; connects only when it is used. */
export function createRedisBuffer(settings: BufferSettings, keys: PayloadKeys): EventBuffer {
  const declared = settings.durable === 'declared'
  return {
    async put(delivery, { applied, putOff, deadline }) {
      const entry = writeEntry({ ...delivery, applied, putOff }, keys)
      await withRedis(settings, deadline, async redis => {
        await requireKeeping(redis, { declared })
        const adding = redis.send('EVAL', ADD, '3', STREAM, BYTES, PARKED, String(settings.maxBytes), entry)
        const waiting = declared ? undefined : askForDisk(redis, deadline.remainingMs() - ANSWER_MS)
        waiting?.catch(() => undefined)
        const id = await adding
        if (id === null) throw new BufferError('buffer-full')
        if (waiting === undefined || (await isOnDisk(redis, waiting))) return
        // It may stay: the sender comes back, and the claim sees to it that it counts once. But it takes up room.
        await redis.send('EVAL', TAKE_OUT, '2', STREAM, BYTES, GROUP, id as Buffer, String(sizeOf(entry))).catch(() => undefined)
        throw new BufferError('buffer-not-durable')
      })
    },
  }
}
