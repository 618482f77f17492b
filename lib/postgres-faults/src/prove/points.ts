import { type CutPoint, type WireMessage } from '../proxy/wire.ts'

/** A cut point with its place in the list of all, from 1 on. */
export interface NumberedPoint extends CutPoint {
  readonly number: number
}

/** Returns every cut point of a recording, in its order: before each message, and in the middle of each that can be divided. */
export function cutPoints(messages: readonly WireMessage[]): NumberedPoint[] {
  return messages
    .flatMap(({ connection, from, message, divisible }): CutPoint[] => {
      const place = { connection, from, message }
      return [{ ...place, inside: false }, ...(divisible ? [{ ...place, inside: true }] : [])]
    })
    .map((point, index) => ({ number: index + 1, ...point }))
}

/**
 * Reads a selection such as `5,17-20`.
 * @throws Error that says which part of it is wrong
 */
export function readSelection(text: string): (point: number) => boolean {
  const ranges = text.split(',').map(part => {
    const [, first = '', last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? []
    if (first === '' || Number(first) === 0 || Number(last) < Number(first)) {
      throw new Error(`'${part.trim()}' is no cut point: write numbers from 1 on and ranges of them, such as 5,17-20`)
    }
    return [Number(first), Number(last)] as const
  })
  return point => ranges.some(([first, last]) => point >= first && point <= last)
}

/** Returns whether two recordings have the same messages in the same order on each side of each connection. */
export function areSame(one: readonly WireMessage[], other: readonly WireMessage[]): boolean {
  return describeSides(one) === describeSides(other)
}

function describeSides(messages: readonly WireMessage[]): string {
  const sides = new Map<string, string[]>()
  for (const { connection, from, type } of messages) {
    const side = `${connection} ${from}`
    sides.set(side, [...(sides.get(side) ?? []), type])
  }
  return JSON.stringify([...sides].sort())
}

/** Returns a point in words. */
export function describePoint({ number, connection, from, message, inside }: NumberedPoint): string {
  return `${number}: ${inside ? 'inside' : 'before'} message ${message + 1} of the ${from} on connection ${connection}`
}
