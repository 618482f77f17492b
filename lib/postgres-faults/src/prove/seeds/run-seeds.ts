import fc from 'fast-check'
import { drawSchedules, type DrawOptions } from './draw.ts'
import { type Played } from './play.ts'
import { type Schedule } from './schedule.ts'

/** A schedule with a problem, as short as it could be made. */
export interface FailedSchedule {
  readonly seed: number
  /** How many schedules the seed drew before the one that failed first. */
  readonly before: number
  readonly schedule: Schedule
  readonly played: Played
}

export interface SeedOptions extends DrawOptions {
  readonly seed: number
  /** Ends with the schedule that is being played when it returns true. */
  readonly isOver: () => boolean
  /** The most schedules. Default: as many as there is time for. */
  readonly schedules?: number
  /** How long a failure may be made shorter, in ms. */
  readonly shrinkMs: number
  readonly play: (schedule: Schedule) => Promise<Played>
  readonly onPlayed: (played: Played) => void
}

const MOST_SCHEDULES = 1_000_000
// What fails depends on chance, too: one that failed may pass once.
const SHRINKING_TRIES = 2

/** Plays what a seed draws until something fails or the time is over. Returns the failure, or undefined. */
export async function runSeed(options: SeedOptions): Promise<FailedSchedule | undefined> {
  const { seed, isOver, schedules = MOST_SCHEDULES, shrinkMs, play, onPlayed } = options
  let shortest: Omit<FailedSchedule, 'seed' | 'before'> | undefined
  let before = 0
  let shrinksUntil = Number.POSITIVE_INFINITY

  async function fails(schedule: Schedule): Promise<boolean> {
    const tries = shortest === undefined ? 1 : SHRINKING_TRIES
    for (let tried = 0; tried < tries; tried += 1) {
      const played = await play(schedule)
      onPlayed(played)
      if (played.problems.length === 0) continue
      if (shortest === undefined) shrinksUntil = performance.now() + shrinkMs
      shortest = { schedule, played }
      return true
    }
    if (shortest === undefined) before += 1
    return false
  }
  /** Leaves out each step that is not needed: fast-check takes few away from the middle of a list. */
  async function removeSteps({ containers, steps }: Schedule): Promise<void> {
    let left = steps
    for (let index = steps.length - 1; index >= 0 && left.length > 1 && performance.now() < shrinksUntil; index -= 1) {
      const fewer = left.toSpliced(index, 1)
      if (await fails({ containers, steps: fewer })) left = fewer
    }
  }

  // What is wrong with the player itself is no failure of the application.
  let broken: { readonly error: unknown } | undefined
  const property = fc.asyncProperty(drawSchedules(options), async schedule => {
    const isEnough = shortest === undefined ? isOver() : performance.now() > shrinksUntil
    if (broken !== undefined || isEnough) throw new fc.PreconditionFailure(true)
    try {
      return !(await fails(schedule))
    } catch (error) {
      broken = { error }
      return false
    }
  })
  await fc.check(property, { seed, numRuns: schedules })
  if (broken !== undefined) throw broken.error
  if (shortest !== undefined) await removeSteps(shortest.schedule)
  return shortest && { seed, before, ...(shortest as Pick<FailedSchedule, 'schedule' | 'played'>) }
}
