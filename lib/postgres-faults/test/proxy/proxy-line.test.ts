import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Line } from '../../src/proxy/line.ts'

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => void vi.useRealTimers())

/** A line and what has passed it. */
function lineOf(delayMs: () => number) {
  const line = new Line(delayMs)
  const passed: string[] = []
  return { line, passed, push: (name: string, extraMs?: number) => line.push(() => passed.push(name), extraMs) }
}

describe('a line', () => {
  test('without a delay lets things pass at once', () => {
    const { passed, push } = lineOf(() => 0)
    push('one')
    expect(passed).toEqual(['one'])
  })

  test('lets each thing pass after its delay', () => {
    const { passed, push } = lineOf(() => 100)
    push('one')
    vi.advanceTimersByTime(60)
    push('two')
    vi.advanceTimersByTime(40)
    expect(passed).toEqual(['one'])
    vi.advanceTimersByTime(60)
    expect(passed).toEqual(['one', 'two'])
  })

  test('keeps what is behind something that takes longer, also when the delay shrinks', () => {
    let delayMs = 50
    const { passed, push } = lineOf(() => delayMs)
    push('one', 100)
    delayMs = 0
    push('two')
    vi.advanceTimersByTime(149)
    expect(passed).toEqual([])
    vi.advanceTimersByTime(1)
    expect(passed).toEqual(['one', 'two'])
  })

  test('lets nothing pass while it is held, and all of it afterwards', () => {
    const { line, passed, push } = lineOf(() => 10)
    push('one')
    line.hold()
    push('two')
    vi.advanceTimersByTime(1_000)
    expect(passed).toEqual([])
    line.release()
    expect(passed).toEqual(['one', 'two'])
  })

  test('stops behind the thing that holds it', () => {
    const { line, passed, push } = lineOf(() => 10)
    line.push(() => line.hold())
    push('one')
    vi.advanceTimersByTime(1_000)
    expect(passed).toEqual([])
  })

  test('drops everything and leaves no timer once it is closed', () => {
    const { line, passed, push } = lineOf(() => 10)
    push('one')
    line.close()
    push('two')
    expect(vi.getTimerCount()).toBe(0)
    line.release()
    expect(passed).toEqual([])
  })
})
