import { check, type Problem } from './checker.ts'
import { estimate } from './estimate.ts'
import { needsOwnServer, type ProvenFault } from './faults.ts'
import { openLane, type Lane } from './lane.ts'
import { type NumberedPoint } from './points.ts'
import { type Part } from './record.ts'
import { run, type RunResult } from './run.ts'
import { type Stage } from './stage.ts'

/** One run that is to be made. */
export interface Job {
  readonly part: Part
  readonly point: NumberedPoint
  readonly fault: ProvenFault
}

/** What a run has shown. `unreached`: the run never came to its cut point, so it proves nothing about it. */
export interface Finding extends Job, RunResult {
  readonly problems: readonly Problem[]
}

export interface EngineOptions {
  readonly stage: Stage
  readonly parts: readonly Part[]
  readonly faults: readonly ProvenFault[]
  readonly isSelected: (point: number) => boolean
  /** How many runs the shared server serves at a time. */
  readonly sharedLanes: number
  readonly signal: AbortSignal
  readonly onFinding: (finding: Finding, progress: EngineProgress) => void
}

export interface EngineProgress {
  readonly done: number
  readonly of: number
  readonly leftMs: number | undefined
}

// Runs whose call is acknowledged wait for sessions to end, which takes no processor.
const MOST_SETTLING = 32
const MEASURED = 2

/** Returns every run that is to be made: two of each kind first, from which the time of all others is estimated. */
export function jobsOf(parts: readonly Part[], faults: readonly ProvenFault[], isSelected: (point: number) => boolean): Job[] {
  const jobs = parts.flatMap(part =>
    part.points.filter(({ number }) => isSelected(number)).flatMap(point => faults.map((fault): Job => ({ part, point, fault }))),
  )
  const measured = new Set([...Map.groupBy(jobs, kindOf).values()].flatMap(of => of.slice(0, MEASURED)))
  return [...jobs.filter(job => measured.has(job)), ...jobs.filter(job => !measured.has(job))]
}

/** Makes all runs. Resolves when they are made, or soon after the signal is raised; a run that is cut off by it is no finding. */
export async function proveAll({ stage, parts, faults, isSelected, sharedLanes, signal, onFinding }: EngineOptions): Promise<void> {
  const jobs = jobsOf(parts, faults, isSelected)
  const queues = {
    shared: jobs.filter(({ fault }) => !needsOwnServer(fault)),
    own: jobs.filter(({ fault }) => needsOwnServer(fault)),
  }
  const again = new Set<Job>()
  const expected = estimate([
    { lanes: sharedLanes, runs: countKinds(queues.shared) },
    { lanes: stage.own.length, runs: countKinds(queues.own) },
  ])
  const settling = new Set<Promise<void>>()
  let done = 0

  function conclude(job: Job, queue: Job[], result: RunResult): void {
    // A busy machine may have added or saved a message: one more try.
    if (!result.reached && !again.has(job)) {
      again.add(job)
      queue.push(job)
      return
    }
    done += 1
    onFinding({ ...job, ...result, problems: check(result.history) }, { done, of: jobs.length, leftMs: expected.leftMs() })
  }

  async function work(lane: Lane, queue: Job[]): Promise<void> {
    for (let job = queue.shift(); job !== undefined && !signal.aborted; job = queue.shift()) {
      const current = job
      const startedAt = performance.now()
      const { operation, way } = current.part
      const { result } = await run(lane, { operation, way, cut: current, signal })
      const settled = result.then(found => conclude(current, queue, found)).finally(() => settling.delete(settled))
      settling.add(settled)
      // It is awaited below; until then its error is nobody's.
      settled.catch(() => undefined)
      if (lane.ownsServer) await settled
      while (settling.size >= MOST_SETTLING) await Promise.race(settling)
      expected.add(kindOf(current), performance.now() - startedAt)
    }
    await Promise.all(settling)
    // What was put back meanwhile.
    if (queue.length > 0 && !signal.aborted) await work(lane, queue)
  }

  const shared = Array.from({ length: Math.min(sharedLanes, queues.shared.length) }, () => work(openLane(stage, stage.shared), queues.shared))
  const own = stage.own.map(ground => work(openLane(stage, ground), queues.own))
  const stopped = (error: unknown) => {
    queues.shared.length = 0
    queues.own.length = 0
    throw error
  }
  const ended = await Promise.allSettled([...shared, ...own].map(lane => lane.catch(stopped)))
  const failed = ended.find(end => end.status === 'rejected')
  if (failed && !signal.aborted) throw failed.reason
}

function countKinds(jobs: readonly Job[]): Map<string, number> {
  return new Map([...Map.groupBy(jobs, kindOf)].map(([kind, of]) => [kind, of.length]))
}

/** Runs of one kind take about the same time. */
function kindOf({ part, fault }: Job): string {
  return `${fault}, ${part.operation.name}, ${part.way}`
}
