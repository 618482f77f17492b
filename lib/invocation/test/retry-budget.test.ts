import { expect, it } from 'vitest'
import { createRetryBudget } from '../src/retry-budget.ts'

function subject() {
  let at = Date.UTC(2026, 10, 24)
  const budget = createRetryBudget({ capacity: 4, floor: 2, quietMs: 10_000, now: () => at })
  const takeAll = () => {
    let taken = 0
    while (budget.take()) taken += 1
    return taken
  }
  return { budget, takeAll, pass: (ms: number) => (at += ms) }
}

it('gives no more tokens than it holds', () => {
  const { takeAll } = subject()
  expect(takeAll()).toBe(4)
  expect(takeAll()).toBe(0)
})

it('earns a token with each success, up to what it can hold', () => {
  const { budget, takeAll } = subject()
  takeAll()
  budget.refill()
  expect(takeAll()).toBe(1)
  for (let success = 0; success < 9; success += 1) budget.refill()
  expect(takeAll()).toBe(4)
})

it('grants its floor after a quiet while, and not before', () => {
  const { takeAll, pass } = subject()
  takeAll()
  pass(9_999)
  expect(takeAll()).toBe(0)
  pass(1)
  expect(takeAll()).toBe(2)
})

it('takes a clock that was set back for quiet', () => {
  const { takeAll, pass } = subject()
  takeAll()
  pass(-1)
  expect(takeAll()).toBeGreaterThan(0)
})
