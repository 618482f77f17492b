import { setTimeout as sleep } from 'node:timers/promises'
import { startFleet } from './fleet.ts'
import { type BenchOptions } from './options.ts'
import { USABLE, type Route, type Stage } from './stage.ts'
import { type Line } from './table.ts'
import { countEndings, describeErrors } from './tally.ts'
import { readRequest, writeRequest, type Way } from './ways.ts'

/** Waves of requests to a fleet of one way on one route: half of the calls read, half write. A line for each wave. */
export async function runWaves(
  stage: Stage,
  way: Way,
  routeName: Route['name'],
  { containers, waves, pauseMs, deadlineMs }: BenchOptions,
): Promise<Line[]> {
  await using route = await stage.openRoute(routeName)
  await using fleet = await startFleet({ way, route, size: containers, deadlineMs, warmUp: readRequest() })
  const lines: Line[] = []
  for (let number = 1; number <= waves; number += 1) {
    const [countsBefore, msBefore] = [await route.counts(), route.serverMs()]
    const { results, wallMs } = await fleet.wave(container => ((container + number) % 2 === 0 ? readRequest() : writeRequest()))
    const msAfter = route.serverMs()
    const countsAfter = await route.counts()
    const held = await stage.held()
    const { served, refused, late, hung, crashed } = countEndings(results)
    lines.push({
      way: way.name,
      route: routeName,
      wave: number,
      served,
      refused,
      late,
      hung,
      crashed,
      connects: countsAfter.connects - countsBefore.connects,
      'turned away': routeName === 'direct' ? countsAfter.turnedAway - countsBefore.turnedAway : '-',
      'held paused': held,
      'free paused': USABLE - held,
      'server CPU ms': msBefore === undefined || msAfter === undefined ? '-' : msAfter - msBefore,
      'wall ms': Math.round(wallMs),
      errors: describeErrors(results),
    })
    await sleep(pauseMs)
  }
  return lines
}
