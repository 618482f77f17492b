import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readCursor, writeCursor } from '../../src/content/page.ts'

const list = ['users', undefined, 'usr_1']
const places = fc.record({ at: fc.bigInt({ min: BigInt(Number.MIN_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) }).map(String), id: fc.uuid() })

it('a cursor is read back as the place that it was written for, to the microsecond', () => {
  fc.assert(
    fc.property(places, place => {
      expect(readCursor(writeCursor(place, list), list)).toEqual(place)
    }),
  )
})

it('a cursor is refused when a character of it was changed, or for another list', () => {
  fc.assert(
    fc.property(places, fc.nat(), fc.constantFrom(...'0aZ-.'), (place, at, character) => {
      const cursor = writeCursor(place, list)
      const index = at % cursor.length
      const changed = cursor.slice(0, index) + character + cursor.slice(index + 1)
      fc.pre(changed !== cursor)
      expect(() => readCursor(changed, list)).toThrow(expect.objectContaining({ code: 'cursor-invalid' }))
      expect(() => readCursor(cursor, ['users', undefined, 'usr_2'])).toThrow(expect.objectContaining({ code: 'cursor-invalid' }))
    }),
  )
})
