import { expect, it } from 'vitest'
import { estimate } from '../../src/prove/estimate.ts'

it('is unknown until each kind was measured', () => {
  const expected = estimate([
    {
      lanes: 1,
      runs: new Map([
        ['fast', 2],
        ['slow', 1],
      ]),
    },
  ])
  expect(expected.leftMs()).toBeUndefined()
  expected.add('fast', 10)
  expect(expected.leftMs()).toBeUndefined()
  expected.add('slow', 1_000)
  expect(expected.leftMs()).toBe(10)
})

it('divides the work among lanes and takes the longest', () => {
  const expected = estimate([
    { lanes: 4, runs: new Map([['fast', 41]]) },
    { lanes: 2, runs: new Map([['kill', 11]]) },
  ])
  expected.add('fast', 100)
  expected.add('kill', 500)
  // 40 runs of 100 ms in 4 lanes, 10 of 500 ms in 2.
  expect(expected.leftMs()).toBe(2_500)
})

it('is zero when everything is done', () => {
  const expected = estimate([{ lanes: 1, runs: new Map([['fast', 1]]) }])
  expected.add('fast', 10)
  expect(expected.leftMs()).toBe(0)
})
