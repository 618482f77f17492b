import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { transactionStatuses } from '../../lib/app/transactions/transaction-status.ts'
import { legalSteps, stepsTo, supersedes, type DatedState } from '../../lib/app/transactions/state.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const state = (status: DatedState['status'], second: number, order = ''): DatedState => ({ status, occurredAt: at(second), order })
const states = fc.record({
  status: fc.constantFrom(...transactionStatuses),
  occurredAt: fc.nat({ max: 5 }).map(at),
  order: fc.constantFrom('', 'a', 'ab', '\u{1f600}', '\uffff'),
})

describe('what an event tells', () => {
  it.each([
    ['an outcome replaces a pending state, even one dated later', state('completed', 0), state('pending', 9), true],
    ['a later outcome replaces an earlier one', state('failed', 2), state('completed', 1), true],
    ['an earlier outcome replaces no later one', state('completed', 1), state('failed', 2), false],
    ['of two outcomes at one instant, that of the money counts', state('completed', 1), state('failed', 1), true],
    ['a refund replaces a completion that is dated later', state('refunded', 1), state('completed', 2), true],
    ['nothing replaces a refund but a later one', state('completed', 3), state('refunded', 1), false],
    ['of two of the same state at one instant, the later event counts', state('completed', 1, 'b'), state('completed', 1, 'a'), true],
    ['events are compared byte by byte', state('completed', 1, '\u{1f600}'), state('completed', 1, '\uffff'), true],
    ['the same again is no news', state('completed', 1), state('completed', 1), false],
  ])('%s', (_what, told, known, expected) => {
    expect(supersedes(told, known)).toBe(expected)
  })

  it('leads to the same state in whatever order it is heard', () => {
    const heard = (all: readonly DatedState[]) => all.reduce((known, told) => (supersedes(told, known) ? told : known), state('pending', -1))
    fc.assert(
      fc.property(
        fc.array(states, { maxLength: 6 }).chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([one, other]) => {
          expect(heard(one)).toEqual(heard(other))
        },
      ),
    )
  })
})

it('lets callers complete or fail what is pending, and refund what is completed', () => {
  expect(Object.entries(legalSteps).flatMap(([from, all]) => all.map(to => `${from} → ${to}`))).toEqual([
    'pending → completed',
    'pending → failed',
    'completed → refunded',
  ])
  expect(transactionStatuses.map(stepsTo)).toEqual([[], ['pending'], ['pending'], ['completed']])
})
