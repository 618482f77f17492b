import { expect, it } from 'vitest'
import { backoffMs } from '../src/backoff.ts'

const longest = (replay: number) => backoffMs(replay, { firstMs: 50, longestMs: 2_000, random: () => 1 })

it('doubles up to the longest delay', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(longest)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
})

it('spreads over the whole range from zero', () => {
  expect(backoffMs(3, { firstMs: 50, longestMs: 2_000, random: () => 0 })).toBe(0)
  expect(backoffMs(3, { firstMs: 50, longestMs: 2_000, random: () => 0.5 })).toBe(200)
})
