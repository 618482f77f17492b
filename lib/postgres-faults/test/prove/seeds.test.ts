import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { application } from '../../../functions-devkit/src/application.ts'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { APPLICATION_FOLDER, REPOSITORY } from '../../../functions-devkit/test/support/tested-application.ts'
import { CHAOS_TIMES } from '../../src/matrix/times.ts'
import { openLane } from '../../src/prove/lane.ts'
import { openStage, type Stage } from '../../src/prove/stage.ts'
import { play } from '../../src/prove/seeds/play.ts'
import { drawnOperations } from '../../src/prove/seeds/prove-seeds.ts'
import { describeFailure } from '../../src/prove/seeds/report.ts'
import { runSeed, type FailedSchedule } from '../../src/prove/seeds/run-seeds.ts'
import { bugs } from './planted/bugs.ts'
import { buildFunctions, FUNCTIONS, type Mutation } from './planted/build.ts'
import { otherVersion } from './planted/other-version.ts'

const LONGEST_MS = 180_000
const fresh = randomInt(2 ** 31 - 1)
// As long as it takes on two busy cores.
const SCHEDULES = 2 * CHAOS_TIMES
const operations = drawnOperations(application.proofs.operations)

let stages: Promise<Stage>[] = []
afterAll(async () => {
  for (const stage of stages) await (await stage).close()
  stages = []
})

function open(mutations: readonly Mutation[] = []): Promise<Stage> {
  const build = (of: readonly Mutation[]) => async (folder: string) => {
    await buildFunctions(FUNCTIONS, of, folder)
    return (functionName: string) => join(folder, functionName.split('/')[1] ?? '', 'index.js')
  }
  const programsFolder = dataRootFor(REPOSITORY).folder
  const builds = { build: build(mutations), buildOther: build(otherVersion) }
  const stage = openStage({ checkout: APPLICATION_FOLDER, programsFolder, ways: ['direct'], ownServers: 1, ...builds })
  stages.push(stage)
  return stage
}

function run(stage: Stage, seed: number, schedules: number, shrinkMs: number): Promise<FailedSchedule | undefined> {
  const [ground = stage.shared] = stage.own
  const lane = openLane(stage, ground)
  const names = operations.map(({ name }) => name)
  return runSeed({
    seed,
    schedules,
    shrinkMs,
    operations: names,
    hasOther: true,
    isOver: () => false,
    play: schedule => play(schedule, { lane, operations }),
    onPlayed: () => undefined,
  })
}

describe('schedules of two versions', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await open()
  }, LONGEST_MS)

  it.each([4711, 23, fresh])(
    'show no problem, drawn from seed %i',
    async seed => {
      const failure = await run(stage, seed, SCHEDULES, LONGEST_MS / 3)
      expect(failure && describeFailure(failure)).toBeUndefined()
    },
    LONGEST_MS,
  )
})

describe.runIf(CHAOS_TIMES > 1)('schedules of a planted bug', () => {
  it.each(bugs.filter(({ isDrawn = false }) => isDrawn))(
    'show that $bug',
    async ({ mutations, kind }) => {
      const failure = await run(await open(mutations), 1, 200, LONGEST_MS / 3)
      expect(failure?.played.problems.map(problem => problem.kind)).toContain(kind)
    },
    20 * LONGEST_MS,
  )
})
