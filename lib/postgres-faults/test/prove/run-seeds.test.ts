import { describe, expect, it } from 'vitest'
import type { Problem } from '../../src/prove/checker.ts'
import type { Played } from '../../src/prove/seeds/play.ts'
import { readSchedule } from '../../src/prove/seeds/read-schedule.ts'
import { describeFailure } from '../../src/prove/seeds/report.ts'
import { runSeed, type SeedOptions } from '../../src/prove/seeds/run-seeds.ts'
import type { Schedule, Step } from '../../src/prove/seeds/schedule.ts'

const passes: Played = { histories: [], problems: [], output: '' }
const problem: Problem = { kind: 'twice', id: 'a', text: 'it was applied 2 times' }
const has = ({ steps }: Schedule, isWanted: (step: Step) => boolean) => steps.some(isWanted)
/** An application that fails when a container is killed and another one is stopped. */
const failsWhen = (schedule: Schedule): Played => {
  const fails = has(schedule, step => step.do === 'kill') && has(schedule, step => step.do === 'pause')
  return { histories: [], problems: fails ? [problem] : [], output: '' }
}

async function seeds(options: Partial<SeedOptions>) {
  const played: Schedule[] = []
  const play = options.play ?? (async (schedule: Schedule) => failsWhen(schedule))
  const failure = await runSeed({
    seed: 4711,
    operations: ['webhook applied'],
    hasOther: false,
    isOver: () => false,
    shrinkMs: 60_000,
    onPlayed: () => undefined,
    ...options,
    play: async schedule => {
      played.push(schedule)
      return play(schedule)
    },
  })
  return { failure, played }
}

describe('schedules from a seed', () => {
  it('are shrunk to the shortest that fails', async () => {
    const { failure } = await seeds({})
    expect(failure?.schedule.containers).toEqual([{ version: 'present', clockMs: 0 }])
    expect(failure?.schedule.steps.toSorted((one, other) => (one.do < other.do ? -1 : 1))).toEqual([
      { afterMs: 0, do: 'kill', container: 0 },
      { afterMs: 0, do: 'pause', container: 0, ms: 0 },
    ])
  })

  it('are the same for the same seed', async () => {
    const [one, other] = [await seeds({ schedules: 5, play: async () => passes }), await seeds({ schedules: 5, play: async () => passes })]
    expect(other.played).toEqual(one.played)
    expect(one.played).toHaveLength(5)
  })

  it('end when the time is over', async () => {
    let left = 3
    const { failure, played } = await seeds({ isOver: () => left-- === 0, play: async () => passes })
    expect([failure, played.length]).toEqual([undefined, 3])
  })

  it('fail even when there is no time to shrink', async () => {
    const { failure, played } = await seeds({ shrinkMs: 0 })
    expect(failure?.played.problems).toEqual([problem])
    expect(failure?.schedule).toEqual(played.at(-1))
  })

  it('are shrunk past tries that pass by chance', async () => {
    let tried = 0
    const { failure } = await seeds({ play: async schedule => ((tried += 1) % 2 === 0 ? passes : failsWhen(schedule)) })
    expect(failure?.schedule.steps.length).toBeLessThan(6)
  })

  it('report an error of the player as itself', async () => {
    await expect(seeds({ play: () => Promise.reject(new Error('no server')) })).rejects.toThrow('no server')
  })
})

describe('the report of a failure', () => {
  it('has the seed, and a schedule that can be read', async () => {
    const { failure } = await seeds({})
    if (failure === undefined) throw new Error('nothing failed')
    const report = describeFailure(failure)
    expect(report).toContain('Seed 4711 failed')
    expect(report).toContain('container 0 killed')
    expect(report).toContain('twice a: it was applied 2 times')
    const line = report.split('\n').find(text => text.startsWith('  {"containers"')) ?? ''
    expect(readSchedule(line, ['webhook applied'])).toEqual(failure.schedule)
  })
})
