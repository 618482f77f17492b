import { type Problem } from './checker.ts'
import { type Finding, type Job } from './engine.ts'
import { TCP_GAVE_UP } from './strike.ts'

/** What the runs so far have shown. */
export interface Tally {
  add(finding: Finding): void
  totals(): Totals
  /** Runs with a problem, and runs that did not come to their cut point. */
  readonly failures: readonly Finding[]
}

export interface Totals {
  readonly runs: number
  /** Cut points at which every fault has struck. */
  readonly proven: number
  readonly points: number
  readonly unreached: number
  /** Runs in which no time limit of the server ended a silent connection, so that TCP did. */
  readonly endedByTcp: number
  readonly problems: Readonly<Record<Problem['kind'], number>>
}

/** Counts what becomes of runs. */
export function openTally(jobs: readonly Job[]): Tally {
  const left = new Map<string, number>()
  for (const job of jobs) left.set(pointOf(job), (left.get(pointOf(job)) ?? 0) + 1)
  const points = left.size
  const failures: Finding[] = []
  const problems = { lost: 0, twice: 0, hung: 0, left: 0, wrong: 0 }
  let runs = 0
  let unreached = 0
  let endedByTcp = 0
  return {
    failures,
    add(finding) {
      runs += 1
      if (finding.reached) left.set(pointOf(finding), (left.get(pointOf(finding)) ?? 0) - 1)
      else unreached += 1
      if (finding.history.events.some(event => event.event === 'fault' && event.fault === TCP_GAVE_UP)) endedByTcp += 1
      for (const kind of new Set(finding.problems.map(problem => problem.kind))) problems[kind] += 1
      if (!finding.reached || finding.problems.length > 0) failures.push(finding)
    },
    totals: () => ({
      runs,
      proven: [...left.values()].filter(count => count === 0).length,
      points,
      unreached,
      endedByTcp,
      problems: { ...problems },
    }),
  }
}

function pointOf({ part, point }: Job): string {
  return `${part.operation.name}, ${part.way}, ${point.number}`
}
