import type { Reply } from './connection.ts'

/** An entry of the stream, or of those that are parked. */
export interface StreamEntry {
  readonly id: string
  readonly entry: Buffer
  readonly size: string
  /** Why it is parked; empty for one that is not. */
  readonly reason: string
  /** The id that it had when it was buffered: parking and returning an entry gives it another. */
  readonly first: string
}

/** Reads entries out of a reply. Left out are those that were deleted while they were pending: Redis before 7.0 gives nil for them. */
export function entriesOf(reply: Reply): StreamEntry[] {
  const found = (reply as ([Buffer, Buffer[]] | null)[]).filter(entry => entry !== null)
  return found.map(([idBytes, fields]) => {
    const valueOf = (name: string) => fields[fields.findIndex((field, index) => index % 2 === 0 && field.toString() === name) + 1] ?? Buffer.alloc(0)
    const textOf = (name: string) => (fields.some((field, index) => index % 2 === 0 && field.toString() === name) ? valueOf(name).toString() : '')
    const id = idBytes.toString()
    return { id, entry: valueOf('entry'), size: textOf('size'), reason: textOf('reason'), first: textOf('first') || id }
  })
}

/** When an entry was buffered, by the clock of the buffer's server: an id begins with it, in epoch ms. */
export function atOf({ first }: Pick<StreamEntry, 'first'>): Date {
  return new Date(Number(first.split('-')[0]))
}
