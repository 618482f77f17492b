import { describe, expect, it } from 'vitest'
import { backoffMs } from '../src/inbox/attempt-times.ts'
import { failureNote, untilNextMs } from '../src/inbox/failure-note.ts'
import { judgeFailure, mayPassSoon } from '../src/inbox/failure.ts'
import { later } from '../src/inbox/handler.ts'
import { fromPutOff, LONGEST_LATER_MS, putOff } from '../src/inbox/later.ts'

describe('later', () => {
  it('is due after its own time, and else after the usual backoff', () => {
    expect([0, 0.5, 3_600_000, LONGEST_LATER_MS].map(afterMs => untilNextMs(later('shop-closed', { afterMs }), 3))).toEqual([
      0,
      0.5,
      3_600_000,
      LONGEST_LATER_MS,
    ])
    expect([later('a'), later('a', {}), later('a', { afterMs: undefined })].map(error => untilNextMs(error, 3))).toEqual(Array(3).fill(backoffMs(3)))
  })

  it('passes by itself, and not within the delivery', () => {
    expect(judgeFailure({ error: later('shop-closed'), ofDatabase: false }, 'applying')).toBe('transient')
    expect(mayPassSoon(later('shop-closed'))).toBe(false)
    expect(failureNote(later('shop-closed')).code).toBe('shop-closed')
  })

  it.each([-1, -0.001, Number.NaN, Infinity, -Infinity, LONGEST_LATER_MS + 1, '1000', null, 5n, new Date(0), {}])(
    'refuses an afterMs of %s',
    afterMs => {
      const error: unknown = expect.objectContaining({ code: 'later-invalid', message: expect.stringContaining('afterMs') as string })
      expect(() => later('shop-closed', { afterMs: afterMs as number })).toThrow(error)
    },
  )

  it.each(['', ' ', 'a b', 'a\0b', 'é', 'x'.repeat(101), 7, undefined, null])('refuses the code %j', code => {
    const error: unknown = expect.objectContaining({ code: 'later-invalid', message: expect.stringContaining('code') as string })
    expect(() => later(code as string)).toThrow(error)
  })

  it('stays due at the same instant while it is buffered', () => {
    const asked = putOff(later('shop-closed', { afterMs: 60_000 }), { defaultMs: 1, now: () => 1_000 })
    expect(asked).toEqual({ code: 'shop-closed', dueAt: 61_000 })
    expect([1_000, 41_000, 61_000, 99_000].map(at => fromPutOff(asked, { now: () => at }).afterMs)).toEqual([60_000, 20_000, 0, 0])
    expect(putOff(later('shop-closed'), { defaultMs: 5, now: () => 1_000 }).dueAt).toBe(1_005)
  })
})
