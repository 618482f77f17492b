import { setTimeout as sleep } from 'node:timers/promises'
import { MOST_CONTAINERS } from '../../../lib/functions-devkit/src/cli/doctor/capacity.ts'
import { startFleet } from './fleet.ts'
import { type BenchOptions } from './options.ts'
import { USABLE, type Stage } from './stage.ts'
import { type Line } from './table.ts'
import { countEndings, describeErrors, mostServed } from './tally.ts'
import { sleepingWay } from './ways.ts'

/** As many containers as the platform runs, all called at once, with calls that keep their connections busy. A line for each length of a call. */
export async function runOverload(stage: Stage, { callMs, pauseMs, deadlineMs }: BenchOptions): Promise<Line[]> {
  await using route = await stage.openRoute('direct')
  await using fleet = await startFleet({ way: await sleepingWay(), route, size: MOST_CONTAINERS, deadlineMs, warmUp: { method: 'POST', path: '/0' } })
  const lines: Line[] = []
  for (const ms of callMs) {
    const [before, countsBefore, msBefore] = [await stage.stored(), await route.counts(), route.serverMs()]
    const { results, wallMs } = await fleet.wave(() => ({ method: 'POST', path: `/${ms}` }))
    const msAfter = route.serverMs()
    const [stored, countsAfter] = [(await stage.stored()) - before, await route.counts()]
    const { served, late, hung, crashed } = countEndings(results)
    const limit = mostServed({ asked: results.length, slots: USABLE, deadlineMs, callMs: ms })
    const comeBack = results.filter(result => result.comeBack && result.ending === 'refused').length
    lines.push({
      'call ms': ms,
      asked: results.length,
      served,
      // More would be written and refused, less answered and lost.
      stored,
      'turned away': countsAfter.turnedAway - countsBefore.turnedAway,
      'server CPU ms': msBefore === undefined || msAfter === undefined ? '-' : msAfter - msBefore,
      'share served': percent(served / results.length),
      'arithmetic limit': `${percent(limit / results.length)} (${limit})`,
      '503 + Retry-After': comeBack,
      'other answers': results.length - served - comeBack - late - hung - crashed,
      late,
      hung,
      crashed,
      'longest ms': Math.round(Math.max(...results.map(result => result.ms))),
      'wall ms': Math.round(wallMs),
      errors: describeErrors(results),
    })
    await sleep(pauseMs)
  }
  return lines
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
