import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cronProblem } from '../../src/schema/cron.ts'
import { shortestGapMs } from '../../src/schema/cron-gap.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('the shortest gap of a schedule', () => {
  it.each([
    ['* * * * *', MINUTE],
    ['*/5 * * * *', 5 * MINUTE],
    ['*/7 * * * *', 4 * MINUTE],
    ['*/25 * * * *', 10 * MINUTE],
    ['0,1 * * * *', MINUTE],
    ['0 * * * *', HOUR],
    ['59 * * * *', HOUR],
    ['0,59 * * * *', MINUTE],
    ['55 23 * * *', DAY],
    ['0 0,23 * * *', HOUR],
    ['0,58 0,23 * * *', 2 * MINUTE],
    ['30 8-18/2 * * *', 2 * HOUR],
    ['0 0 1 * *', 28 * DAY],
    ['0 0 31 * *', 31 * DAY],
    ['0 0 29 2 *', 1461 * DAY],
    ['0 0 * * 1', 7 * DAY],
    ['0 0 * * 0,6', DAY],
    ['0 0 13 * 5', DAY],
    ['0 0 */31 * 5', 28 * DAY],
  ])('of %s is %i ms', (expression, gap) => {
    expect(shortestGapMs(expression)).toBe(gap)
  })

  it('is never longer than one that a cron library sees, and is one of those', () => {
    const number = (least: number, most: number) => fc.integer({ min: least, max: most })
    const field = (least: number, most: number) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant('*') },
        number(least, most).map(String),
        fc.integer({ min: 1, max: most }).map(step => `*/${step}`),
        fc.uniqueArray(number(least, most), { minLength: 2, maxLength: 4 }).map(values => values.join(',')),
        fc.tuple(number(least, most), number(least, most)).map(ends => [Math.min(...ends), Math.max(...ends)].join('-')),
      )
    // Day and weekday restricted together mean different things to different libraries.
    const expressions = fc
      .tuple(
        field(0, 59),
        field(0, 23),
        fc.oneof(
          field(1, 28).map(day => [day, '*']),
          field(0, 6).map(weekday => ['*', weekday]),
        ),
      )
      .map(([minute, hour, [day, weekday]]) => `${minute} ${hour} ${day} * ${weekday}`)
    fc.assert(
      fc.property(expressions, expression => {
        expect(cronProblem(expression)).toBeUndefined()
        const runs = new Cron(expression, { timezone: 'UTC', paused: true }).nextRuns(400, new Date('2023-12-31T23:59:00Z'))
        const gaps = runs.slice(1).map((run, index) => run.getTime() - (runs[index]?.getTime() ?? 0))
        const shortest = shortestGapMs(expression)
        const covered = (runs.at(-1)?.getTime() ?? 0) - (runs[0]?.getTime() ?? 0)
        const seen = Math.min(...gaps)
        expect(seen).toBeGreaterThanOrEqual(shortest)
        // Runs that reach far enough have the shortest gap among them.
        expect(seen === shortest || covered < 70 * DAY).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
