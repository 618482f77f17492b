import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedis } from '../../../functions-devkit/test/support/redis.ts'
import { check } from '../../src/prove/checker.ts'
import { writeHistory } from '../../src/prove/history.ts'
import { bugs, type PlantedBug } from './planted/bugs.ts'
import { FUNCTIONS } from './planted/build.ts'
import { prepareFunctions, type Functions } from './planted/stage.ts'

const LONGEST_MS = 60_000
const isPlayable = ({ needs }: PlantedBug) => needs === undefined || hasRedis()

describe.concurrent('the checker', () => {
  let present: Functions
  beforeAll(async () => {
    present = await prepareFunctions(FUNCTIONS)
  }, LONGEST_MS)
  afterAll(() => present.remove())

  it.for(bugs.filter(isPlayable))(
    'finds that $bug',
    { timeout: LONGEST_MS },
    async ({ mutations, functions: names, scenario, kind }, { onTestFailed }) => {
      const functions = await prepareFunctions(names, mutations)
      const history = await scenario(functions).finally(() => functions.remove())
      onTestFailed(() => console.error(writeHistory(history)))
      expect(new Set(check(history).map(problem => problem.kind))).toEqual(new Set([kind]))
    },
  )

  it.for(bugs.filter(isPlayable))('finds no problem in its scenario unless $bug', { timeout: LONGEST_MS }, async ({ scenario }, { onTestFailed }) => {
    const history = await scenario(present)
    onTestFailed(() => console.error(writeHistory(history)))
    expect(check(history)).toEqual([])
  })
})
