import { appendFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ProvenOperation } from '../../../functions-runtime/src/api/proofs.ts'
import { application } from '../../../functions-devkit/src/application.ts'
import { APPLICATION_FOLDER } from '../../../functions-devkit/src/application-folder.ts'
import { createProgress, NO_PROGRESS } from '../../../functions-devkit/src/cli/progress.ts'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { hasPgBouncer } from '../pgbouncer.ts'
import { removeAbandonedServers } from '../server-folder.ts'
import { jobsOf, proveAll, type EngineProgress } from './engine.ts'
import { needsOwnServer } from './faults.ts'
import { writeHistory } from './history.ts'
import { openLane } from './lane.ts'
import { command, type ProveOptions } from './options.ts'
import { record, UnprovableError, type Part } from './record.ts'
import { describeEndedByTcp, describeFailure, describeMs, describePart, describeTotals } from './report.ts'
import { drawnOperations, proveSeeds } from './seeds/prove-seeds.ts'
import { UnplayableError } from './seeds/seed-options.ts'
import { openStage } from './stage.ts'
import { openTally, type Tally } from './tally.ts'

// `npm run prove`.

// Most of a run is waiting.
const LANES_PER_CORE = 4
const OWN_SERVERS = 3
const LINE_EVERY_MS = 30_000

const options = command.readOrExit()
const progress = options.json ? NO_PROGRESS : createProgress()
const print = (text: string) => options.json || progress.above(() => process.stdout.write(`${text}\n`))

process.exitCode = await prove(options).finally(() => progress.end())

/** 0: everything is proven, 1: something is not, 2: there was nothing to prove. */
async function prove({ ways: wanted, faults, isSelected, history, json, seeds, ...which }: ProveOptions): Promise<0 | 1 | 2> {
  const operations = operationsOf(which)
  if (typeof operations === 'string') return refuse(operations)
  const ways = wanted.filter(way => way === 'direct' || hasPgBouncer())
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort())
  const { signal } = interrupted
  if (seeds !== undefined) {
    const drawn = drawnOperations(operations)
    if (drawn.length === 0) return refuse('None of these operations can be drawn')
    await removeAbandonedServers()
    return proveSeeds({ ...seeds, operations: drawn, history, json, progress, print, signal }).catch((error: unknown) => {
      if (error instanceof UnplayableError) return refuse(error.message)
      throw error
    })
  }

  progress.step('building the functions, starting servers')
  await removeAbandonedServers()
  const stage = await openStage({
    checkout: APPLICATION_FOLDER,
    programsFolder: dataRootFor(APPLICATION_FOLDER).folder,
    ways,
    buffered: operations.some(({ buffered = false }) => buffered),
    ownServers: faults.some(needsOwnServer) ? OWN_SERVERS : 0,
  })
  try {
    const parts: Part[] = []
    const lane = openLane(stage, stage.shared)
    for (const operation of operations) {
      for (const way of ways.filter(one => operation.ways?.includes(one) ?? true)) {
        progress.step(`recording ${operation.name}, ${way}`)
        parts.push(await record(lane, operation, way, signal))
      }
    }
    const jobs = jobsOf(parts, faults, isSelected)
    if (jobs.length === 0) return refuse('There is no such cut point')
    print(`${parts.map(describePart).join('\n')}\n${openTally(jobs).totals().points} cut points, ${faults.join(', ')}: ${jobs.length} runs`)

    const tally = openTally(jobs)
    const tell = followRuns(tally)
    if (history !== undefined) writeFileSync(history, '')
    const startedAt = performance.now()
    await proveAll({
      stage,
      parts,
      faults,
      isSelected,
      sharedLanes: LANES_PER_CORE * availableParallelism(),
      signal,
      onFinding(finding, now) {
        tally.add(finding)
        if (history !== undefined) appendFileSync(history, writeHistory(finding.history))
        tell(now)
      },
    })
    return conclude(tally, { parts, json, ms: performance.now() - startedAt, interrupted: signal.aborted })
  } catch (error) {
    if (!signal.aborted && !(error instanceof UnprovableError)) throw error
    process.stderr.write(`${signal.aborted ? 'Ended before there was a cut point' : (error as Error).message}\n`)
    return 1
  } finally {
    progress.step('stopping the servers')
    await stage.close()
  }
}

function operationsOf({ all, only }: Pick<ProveOptions, 'all' | 'only'>): readonly ProvenOperation[] | string {
  const { operations } = application.proofs
  if (operations.length === 0) return 'lib/app/project.ts declares no proofs'
  if (only === undefined) return operations.filter(({ inAllOnly = false }) => all || !inAllOnly)
  const found = operations.filter(({ name }) => name === only)
  return found.length > 0 ? found : `There is no operation '${only}': there are ${operations.map(({ name }) => name).join(', ')}`
}

/** Tells how far the runs are: all the time on a terminal, now and then elsewhere. */
function followRuns(tally: Tally): (now: EngineProgress) => void {
  let expected = false
  let lastAt = performance.now()
  return ({ done, of, leftMs }) => {
    if (!expected && leftMs !== undefined) {
      expected = true
      print(`This takes about ${describeMs(leftMs)}`)
    }
    if (!process.stderr.isTTY && performance.now() - lastAt < LINE_EVERY_MS) return
    lastAt = performance.now()
    const { problems } = tally.totals()
    const left = leftMs === undefined ? '' : `, ${describeMs(leftMs)} left`
    progress.step(`${done} of ${of} runs: ${problems.lost} lost, ${problems.twice} twice, ${problems.hung} hung${left}`)
  }
}

function conclude(
  tally: Tally,
  { parts, json, ms, interrupted }: { parts: readonly Part[]; json: boolean; ms: number; interrupted: boolean },
): 0 | 1 {
  const totals = tally.totals()
  const failures = tally.failures
  if (json) {
    const described = parts.map(({ operation, way, messages, points }) => ({
      operation: operation.name,
      way,
      messages: messages.length,
      points: points.length,
    }))
    const failed = failures.map(({ part, point, fault, reached, problems, history }) => ({
      operation: part.operation.name,
      way: part.way,
      point,
      fault,
      reached,
      problems,
      history,
    }))
    process.stdout.write(`${JSON.stringify({ ...totals, ms: Math.round(ms), interrupted, parts: described, failures: failed }, null, 2)}\n`)
  } else {
    for (const failure of failures) print(`\n${describeFailure(failure)}\n`)
    const rate = (totals.runs / (ms / 1_000)).toFixed(1)
    print(`${interrupted ? 'Ended early: ' : ''}${totals.runs} runs in ${describeMs(ms)}, ${rate} per second`)
    if (totals.endedByTcp > 0) print(describeEndedByTcp(totals))
    print(describeTotals(totals))
  }
  return failures.length === 0 && totals.proven === totals.points ? 0 : 1
}

function refuse(line: string): 2 {
  process.stderr.write(`${line}\n`)
  return 2
}
