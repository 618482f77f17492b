import { expect, it } from 'vitest'
import { counters } from '../../../functions-devkit/test/application/lib/app/counters.ts'
import { applicationSources, countedIn, packageSources } from '../../../functions-devkit/test/support/sources.ts'

it('everything that is counted is described once, and nothing else is', () => {
  const counted = countedIn([...packageSources(), ...applicationSources()])
  expect(counted.length).toBeGreaterThan(10)
  expect(counters.map(({ name }) => name).sort()).toEqual([...new Set(counted)].sort())
  expect(new Set(counters.map(({ metric }) => metric)).size).toBe(counters.length)
})
