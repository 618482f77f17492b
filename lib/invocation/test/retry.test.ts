import { expect, it } from 'vitest'
import { openDeadline } from '../src/deadline.ts'
import { createRetryBudget } from '../src/retry-budget.ts'
import { untilReplay, type RetryOptions } from '../src/retry.ts'

function subject(changes: Partial<RetryOptions> = {}) {
  const deadline = openDeadline({ remainingMs: 60_000, reserveMs: 0 })
  deadline.clear()
  const delays: number[] = []
  const options: RetryOptions = {
    deadline,
    signal: new AbortController().signal,
    random: () => 0,
    onReplay: ({ delayMs }) => void delays.push(delayMs),
    ...changes,
  }
  return { delays, again: (replays: number) => untilReplay(replays, options) }
}

it('allows ten replays', async () => {
  const { again } = subject()
  expect(await again(9)).toBe(true)
  expect(await again(10)).toBe(false)
})

it('waits ten times as long where things pass slowly', async () => {
  const random = () => 0.02
  const { again, delays } = subject({ random, slow: true })
  await again(0)
  const usual = subject({ random })
  await usual.again(0)
  expect([...delays, ...usual.delays]).toEqual([10, 1])
})

it('allows as many as it is told', async () => {
  expect(await subject({ maxReplays: 0 }).again(0)).toBe(false)
  expect(await subject({ maxReplays: Number.POSITIVE_INFINITY }).again(1_000)).toBe(true)
})

it('pays for each replay, and makes none without a token', async () => {
  const budget = createRetryBudget({ capacity: 1, floor: 0 })
  const { again, delays } = subject({ budget })
  expect(await again(0)).toBe(true)
  expect(await again(1)).toBe(false)
  expect(delays).toHaveLength(1)
})

it('shortens a delay that does not fit into the time left, and waits for no try without time', async () => {
  let now = 0
  const deadline = openDeadline({ remainingMs: 130, reserveMs: 0, now: () => now })
  const { again, delays } = subject({ deadline, shorten: true, random: () => 1 })
  expect(await again(5)).toBe(true)
  now = 30
  expect(await again(6)).toBe(false)
  expect(delays).toEqual([30])
  deadline.clear()
})

it('does not begin to wait for a replay that would come too late', async () => {
  const deadline = openDeadline({ remainingMs: 130, reserveMs: 0, now: () => 0 })
  const { again, delays } = subject({ deadline, random: () => 1 })
  expect(await again(0)).toBe(false)
  expect(delays).toEqual([])
  deadline.clear()
})

it('stops waiting as soon as the caller gives up', async () => {
  const stop = new AbortController()
  const { again } = subject({ signal: stop.signal, random: () => 1 })
  const waiting = again(5)
  stop.abort(new Error('enough'))
  expect(await waiting).toBe(false)
  expect(await again(0)).toBe(false)
})

it('neither pays for a replay nor tells of one once the caller has given up', async () => {
  const budget = createRetryBudget({ capacity: 1 })
  const { again, delays } = subject({ budget, signal: AbortSignal.abort(new Error('enough')) })
  expect(await again(0)).toBe(false)
  expect(budget.tokens).toBe(1)
  expect(delays).toEqual([])
})
