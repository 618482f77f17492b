import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startFleet, type Fleet } from './fleet.ts'
import { type BenchOptions } from './options.ts'
import { USABLE, type Route, type Stage } from './stage.ts'
import { type Line } from './table.ts'
import { countEndings } from './tally.ts'
import { readRequest, type Way } from './ways.ts'

const CONTAINERS = 3
const BETWEEN_CALLS_MS = 200
const WINDOW_MS = 10_000
/** By then containers are to keep their connections again. */
const LONGEST_MS = 120_000
const KEPT_BELOW = 0.1

/** A few containers in use while a crowd holds nearly every connection, and after it has gone. A line for each ten seconds. */
export async function runAfterCrowd(stage: Stage, way: Way, { deadlineMs }: BenchOptions): Promise<Line[]> {
  await using route = await stage.openRoute('direct')
  await using fleet = await startFleet({ way, route, size: CONTAINERS, deadlineMs, warmUp: readRequest() })
  const lines: Line[] = []
  const crowd = await Promise.all(Array.from({ length: USABLE - CONTAINERS + 1 }, () => openClient(route)))
  try {
    lines.push({ crowd: 'there', 'since s': '-', ...(await useFor(fleet, route)) })
  } finally {
    await Promise.all(crowd.map(client => client.end()))
  }
  const goneAt = performance.now()
  while (performance.now() - goneAt + WINDOW_MS <= LONGEST_MS) {
    const window = await useFor(fleet, route)
    lines.push({ crowd: 'gone', 'since s': Math.round((performance.now() - goneAt) / 1_000), ...window })
    if (window['connects per call'] < KEPT_BELOW) break
  }
  return lines
}

async function useFor(fleet: Fleet, route: Route) {
  const before = await route.counts()
  const until = performance.now() + WINDOW_MS
  const perContainer = await Promise.all(
    Array.from({ length: CONTAINERS }, async (_, container) => {
      const results = []
      while (performance.now() < until) {
        results.push(await fleet.call(container, readRequest()))
        await sleep(BETWEEN_CALLS_MS)
      }
      return results
    }),
  )
  const results = perContainer.flat()
  const connects = (await route.counts()).connects - before.connects
  const { served } = countEndings(results)
  return { calls: results.length, served, connects, 'connects per call': Number((connects / results.length).toFixed(3)) }
}

async function openClient(route: Route): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: route.url, application_name: 'crowd' })
  client.on('error', () => {})
  await client.connect()
  return client
}
