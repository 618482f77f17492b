import { expect, it } from 'vitest'
import { counters } from '../lib/app/counters.ts'
import { applicationSources, countedIn, createdTables, packageSources, unqualifiedLines } from '../lib/functions-devkit/test/support/sources.ts'

it('no statement names a table of the application without its schema', async () => {
  const sources = applicationSources()
  expect(sources.length).toBeGreaterThan(5)
  expect(unqualifiedLines(sources, await createdTables())).toEqual([])
})

it('every counter is described once, and nothing else is', () => {
  const counted = countedIn([...packageSources(), ...applicationSources()])
  expect(counters.map(({ name }) => name).sort()).toEqual([...new Set(counted)].sort())
  expect(new Set(counters.map(({ metric }) => metric)).size).toBe(counters.length)
})
