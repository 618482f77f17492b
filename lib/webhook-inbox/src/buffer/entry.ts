import type { PayloadKeys } from '../settings/payload.ts'
import type { Delivery } from '../inbox/delivery.ts'
import { open, PayloadUnreadableError, seal } from '../inbox/payload.ts'
import type { BufferedState } from './buffer.ts'

/** A delivery as it lies in the buffer. */
export type BufferedDelivery = Delivery & BufferedState

const BELONGS_TO = 'buffer'
const LENGTH_BYTES = 4

/** Writes a delivery for the buffer, sealed as a whole: what describes it, its length in front, then the body. */
export function writeEntry({ body, receivedAt, ...rest }: BufferedDelivery, keys: PayloadKeys): Buffer {
  const { source, headers, verdict, applied, putOff } = rest
  const described = Buffer.from(JSON.stringify({ source, headers, verdict, applied, putOff, receivedAt: receivedAt.getTime() }))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(described.length)
  return seal(Buffer.concat([length, described, body]), BELONGS_TO, keys)
}

/**
 * Reads what `writeEntry` wrote.
 * @throws PayloadUnreadableError
 */
export function readEntry(stored: Buffer, keys: PayloadKeys): BufferedDelivery {
  const plain = open(stored, BELONGS_TO, keys)
  try {
    const end = LENGTH_BYTES + plain.readUInt32BE()
    const described = JSON.parse(plain.toString('utf8', LENGTH_BYTES, end)) as Omit<BufferedDelivery, 'body' | 'receivedAt'> & { receivedAt: number }
    return { ...described, receivedAt: new Date(described.receivedAt), body: plain.subarray(end) }
  } catch (error) {
    throw new PayloadUnreadableError('payload-damaged', error)
  }
}
