import fc from 'fast-check'
import { cutHows, networkHows, restartHows, strikeHows, strikePlaces, versions, type Schedule } from './schedule.ts'

export interface DrawOptions {
  /** The names of the operations. */
  readonly operations: readonly string[]
  /** Whether there is another version than the present one. */
  readonly hasOther: boolean
}

const MOST_CONTAINERS = 3
const MOST_STEPS = 14
const MOST_REQUESTS = 4
const MOST_COPIES = 4
const LONGEST_WAIT_MS = 400
// Longer than the deadline of a call: what is stopped or silent for so long has to be given up.
const LONGEST_FAULT_MS = 2_500
// Signatures are refused from five minutes on.
const MOST_CLOCK_MS = 120_000

/** Draws schedules, which shrink towards one container, few steps and no faults. */
export function drawSchedules({ operations, hasOther }: DrawOptions): fc.Arbitrary<Schedule> {
  const container = fc.nat(MOST_CONTAINERS - 1)
  const copies = fc.integer({ min: 1, max: MOST_COPIES })
  const afterMs = fc.nat(LONGEST_WAIT_MS)
  const ms = fc.nat(LONGEST_FAULT_MS)
  const of = <const Do extends string, Fields extends object>(name: Do, fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }) =>
    fc.record({ afterMs, do: fc.constant(name), ...fields }, { noNullPrototype: true }) as fc.Arbitrary<{ afterMs: number; do: Do } & Fields>
  const send = of('send', { operation: fc.constantFrom(...operations), request: fc.nat(MOST_REQUESTS - 1), container, copies })
  const step = fc.oneof(
    { weight: 6, arbitrary: send },
    { weight: 2, arbitrary: of('maintain', { container, copies: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 1, arbitrary: of('cut', { how: fc.constantFrom(...cutHows) }) },
    { weight: 1, arbitrary: of('network', { how: fc.constantFrom(...networkHows), ms }) },
    {
      weight: 3,
      arbitrary: of('strike', {
        at: fc.constantFrom(...strikePlaces),
        when: fc.constantFrom('before' as const, 'after' as const),
        how: fc.constantFrom(...strikeHows),
      }),
    },
    { weight: 1, arbitrary: of('pause', { container, ms }) },
    { weight: 1, arbitrary: of('kill', { container }) },
    { weight: 1, arbitrary: of('restart', { how: fc.constantFrom(...restartHows), ms: fc.nat(LONGEST_FAULT_MS / 2) }) },
  )
  const clockMs = fc.oneof(fc.constant(0), fc.integer({ min: -MOST_CLOCK_MS, max: MOST_CLOCK_MS }))
  const version = hasOther ? fc.constantFrom(...versions) : fc.constant('present' as const)
  const plan = fc.record({ version, clockMs }, { noNullPrototype: true })
  const others = fc.array(step, { minLength: 1, maxLength: MOST_STEPS - 1 })
  // Without a request nothing can go wrong.
  return fc
    .record({ containers: fc.array(plan, { minLength: 1, maxLength: MOST_CONTAINERS }), first: send, others }, { noNullPrototype: true })
    .map(({ containers, first, others: rest }) => ({ containers, steps: [first, ...rest] }))
}
