import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawSchedules } from '../../src/prove/seeds/draw.ts'
import { readSchedule } from '../../src/prove/seeds/read-schedule.ts'
import { describeSchedule, type Schedule } from '../../src/prove/seeds/schedule.ts'

const operations = ['webhook applied', 'user created']
const drawn = drawSchedules({ operations, hasOther: true })

const one: Schedule = {
  containers: [
    { version: 'present', clockMs: 0 },
    { version: 'other', clockMs: -1_500 },
  ],
  steps: [
    { afterMs: 10, do: 'send', operation: 'webhook applied', request: 0, container: 1, copies: 2 },
    { afterMs: 0, do: 'maintain', container: 0, copies: 2 },
    { afterMs: 5, do: 'strike', at: 'COMMIT', when: 'after', how: 'reset' },
    { afterMs: 0, do: 'network', how: 'away', ms: 300 },
    { afterMs: 0, do: 'cut', how: 'close' },
    { afterMs: 0, do: 'pause', container: 1, ms: 40 },
    { afterMs: 0, do: 'kill', container: 0 },
    { afterMs: 0, do: 'restart', how: 'killed', ms: 7 },
    { afterMs: 0, do: 'restart', how: 'fast', ms: 7 },
  ],
}
const json = (change: (schedule: Record<string, unknown>) => void) => {
  const copy = structuredClone(one) as unknown as Record<string, unknown>
  change(copy)
  return JSON.stringify(copy)
}
const firstStep = (schedule: Record<string, unknown>) => (schedule.steps as Record<string, unknown>[])[0] ?? {}

describe('a schedule', () => {
  it('is read from JSON as it was drawn', () => {
    fc.assert(fc.property(drawn, schedule => void expect(readSchedule(JSON.stringify(schedule), operations)).toEqual(schedule)))
  })

  it('begins with a request, whatever is drawn', () => {
    fc.assert(fc.property(drawn, ({ steps }) => void expect(steps[0]?.do).toBe('send')))
  })

  it('has no other version where there is none', () => {
    const versionsOf = ({ containers }: Schedule) => containers.map(({ version }) => version)
    fc.assert(fc.property(drawSchedules({ operations, hasOther: false }), schedule => void expect(versionsOf(schedule)).not.toContain('other')))
  })

  it('is the same for the same seed', () => {
    const [first, again] = [fc.sample(drawn, { seed: 7, numRuns: 5 }), fc.sample(drawn, { seed: 7, numRuns: 5 })]
    expect(again).toEqual(first)
  })

  it('is told in words, with the time of each step', () => {
    expect(describeSchedule(one).split('\n')).toEqual([
      'container 0 of each function: the present version',
      'container 1 of each function: the other version, its clock 1500 ms behind',
      '    10 ms: webhook applied, request 0, sent 2 times at once from container 1 on',
      '    10 ms: schedules called 2 times at once from container 0 on',
      '    15 ms: reset after the next COMMIT',
      '    15 ms: network away for 300 ms',
      '    15 ms: all connections: close',
      '    15 ms: container 1 stopped for 40 ms',
      '    15 ms: container 0 killed',
      '    15 ms: server killed and started 7 ms later',
      '    15 ms: server stopped (fast) and started 7 ms later',
    ])
  })

  it.each([
    ['text that is not JSON', '{', 'The schedule is not JSON'],
    ['a file without steps', json(schedule => delete schedule.steps), 'wrong at steps'],
    ['no container', json(schedule => void (schedule.containers = [])), 'wrong at containers'],
    ['an unknown step', json(schedule => void (firstStep(schedule).do = 'sleep')), 'wrong at steps.0'],
    ['a misspelt field', json(schedule => void (firstStep(schedule).copy = 1)), 'wrong at steps.0'],
    ['a time that never comes', json(schedule => void (firstStep(schedule).afterMs = 1e9)), 'wrong at steps.0.afterMs'],
    [
      'an operation that is not proven',
      json(schedule => void (firstStep(schedule).operation = 'x')),
      "proves no operation 'x', only webhook applied",
    ],
  ])('refuses %s', (_what, text, message) => {
    expect(() => readSchedule(text, operations)).toThrow(message)
  })
})
