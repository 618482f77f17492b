import { type Duplex } from 'node:stream'

/** Reads exactly so many bytes of a stream that nothing else reads yet. Rejects when it ends before. */
export async function readBytes(stream: Duplex, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = stream.read(length) as Buffer | null
    // At its end a stream gives what it has left.
    if (bytes !== null && bytes.length === length) return bytes
    if (bytes !== null || stream.readableEnded || stream.destroyed) throw new Error('The client has gone')
    await readable(stream)
  }
}

/** Reads the first packet after negotiation: a length that counts itself, and the rest. */
export async function readPacket(stream: Duplex): Promise<Buffer> {
  const length = await readBytes(stream, 4)
  return Buffer.concat([length, await readBytes(stream, length.readInt32BE(0) - 4)])
}

function readable(stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    const events = ['readable', 'end', 'close'] as const
    const settle = () => {
      for (const event of events) stream.off(event, settle)
      resolve()
    }
    for (const event of events) stream.on(event, settle)
  })
}
