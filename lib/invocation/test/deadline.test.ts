import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openDeadline } from '../src/deadline.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-24T08:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

it('keeps back half a second of a short time', () => {
  expect(openDeadline({ remainingMs: 3_000 }).remainingMs()).toBe(2_500)
})

it('keeps back a tenth of a long time', () => {
  expect(openDeadline({ remainingMs: 10_000 }).remainingMs()).toBe(9_000)
})

it('is never longer than the limit', () => {
  expect(openDeadline({ remainingMs: 60_000, atMostMs: 20_000 }).remainingMs()).toBe(20_000)
})

it('has passed at once when less than the reserve is left', () => {
  const deadline = openDeadline({ remainingMs: 400 })
  expect(deadline.remainingMs()).toBe(0)
  expect(() => deadline.throwIfPassed()).toThrow(expect.objectContaining({ code: 'deadline-exceeded' }))
})

it('aborts its signal when it passes', () => {
  const deadline = openDeadline({ remainingMs: 3_000 })
  vi.advanceTimersByTime(2_499)
  expect(deadline.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(deadline.signal.reason).toMatchObject({ code: 'deadline-exceeded' })
})

it('leaves no timer behind once it is cleared', () => {
  const deadline = openDeadline({ remainingMs: 3_000 })
  deadline.clear()
  expect(vi.getTimerCount()).toBe(0)
})

it('stays passed although the clock is set back', () => {
  let now = Date.now()
  const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0, now: () => now })
  vi.advanceTimersByTime(1_000)
  now -= 3_600_000
  expect(deadline.remainingMs()).toBe(0)
  expect(() => deadline.throwIfPassed()).toThrow(expect.objectContaining({ code: 'deadline-exceeded' }) as Error)
})

it('passes when it is ended, and tells what still runs', () => {
  const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0 })
  deadline.end()
  expect(deadline.signal.aborted).toBe(true)
  expect(deadline.remainingMs()).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})
