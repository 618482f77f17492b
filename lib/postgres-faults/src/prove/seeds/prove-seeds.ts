import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ProvenOperation } from '../../../../functions-runtime/src/api/proofs.ts'
import { APPLICATION_FOLDER } from '../../../../functions-devkit/src/application-folder.ts'
import { type Progress } from '../../../../functions-devkit/src/cli/progress.ts'
import { dataRootFor } from '../../../../functions-devkit/src/server/postgres/data-root.ts'
import { writeHistory } from '../history.ts'
import { openLane } from '../lane.ts'
import { describeMs } from '../report.ts'
import { openStage, type Stage } from '../stage.ts'
import { buildOtherVersion } from './other-version.ts'
import { play, type Played } from './play.ts'
import { readSchedule } from './read-schedule.ts'
import { describeFailure, describePlay } from './report.ts'
import { runSeed, type FailedSchedule } from './run-seeds.ts'
import { type Schedule } from './schedule.ts'
import { UnplayableError, type SeedsAsked } from './seed-options.ts'

export interface ProveSeedsOptions extends SeedsAsked {
  readonly operations: readonly ProvenOperation[]
  /** A file for the histories of all schedules. */
  readonly history: string | undefined
  readonly json: boolean
  readonly progress: Progress
  readonly print: (text: string) => void
  readonly signal: AbortSignal
}

// A schedule mostly waits.
const LANES_PER_CORE = 2
const MINUTE_MS = 60_000
const LONGEST_SHRINK_MS = 3 * MINUTE_MS

/** Returns the operations that schedules may have: those that need no database and no outage buffer of their own. */
export function drawnOperations(operations: readonly ProvenOperation[]): readonly ProvenOperation[] {
  return operations.filter(({ alone = false, buffered = false }) => !alone && !buffered)
}

/**
 * Plays the schedule of a file, or those of seeds until the time is over: one seed after the other on each of a few servers. Resolves
 * to the exit status: 0 nothing failed, 1 something did.
 * @throws UnplayableError
 */
export async function proveSeeds(options: ProveSeedsOptions): Promise<0 | 1> {
  const { other, schedule: file, operations, progress } = options
  const given =
    file === undefined
      ? undefined
      : readSchedule(
          readFile(file),
          operations.map(({ name }) => name),
        )
  progress.step('building the functions, starting servers')
  const stage = await openStage({
    checkout: APPLICATION_FOLDER,
    programsFolder: dataRootFor(APPLICATION_FOLDER).folder,
    ways: ['direct'],
    ownServers: given === undefined ? LANES_PER_CORE * availableParallelism() : 1,
    ...(other !== undefined && { buildOther: folder => buildOtherVersion({ other, checkout: APPLICATION_FOLDER, folder }) }),
  })
  if (options.history !== undefined) writeFileSync(options.history, '')
  try {
    return given === undefined ? await playSeeds(stage, options) : await playOne(stage, given, options)
  } finally {
    progress.step('stopping the servers')
    await stage.close()
  }
}

async function playOne(stage: Stage, schedule: Schedule, { operations, history, json, print, progress }: ProveSeedsOptions): Promise<0 | 1> {
  progress.step('playing the schedule')
  const [ground = stage.shared] = stage.own
  const played = await play(schedule, { lane: openLane(stage, ground), operations })
  keepHistory(played, history)
  print(describePlay(schedule, played))
  if (json) process.stdout.write(`${JSON.stringify({ schedule, ...played }, null, 2)}\n`)
  print(`1 schedule: ${played.problems.length === 0 ? 0 : 1} failed`)
  return played.problems.length === 0 ? 0 : 1
}

async function playSeeds(stage: Stage, options: ProveSeedsOptions): Promise<0 | 1> {
  const { seed, minutes, operations, history, json, print, progress, signal } = options
  const ms = minutes * MINUTE_MS
  const startedAt = performance.now()
  const leftMs = () => startedAt + ms - performance.now()
  const seeds = stage.own.map((_, lane) => seed + lane)
  const other = stage.otherSpares === undefined ? 'containers of one version (--other adds another)' : 'containers of two versions'
  print(`Seeds ${seeds.join(', ')} for ${describeMs(ms)}: ${operations.map(({ name }) => name).join(', ')}; ${other}`)
  let schedules = 0
  let requests = 0
  const failures: FailedSchedule[] = []

  async function follow(index: number): Promise<void> {
    const ground = stage.own[index]
    if (ground === undefined) return
    const place = { lane: openLane(stage, ground), operations }
    const failure = await runSeed({
      seed: seed + index,
      operations: operations.map(({ name }) => name),
      hasOther: stage.otherSpares !== undefined,
      isOver: () => signal.aborted || leftMs() <= 0,
      shrinkMs: Math.min(ms, LONGEST_SHRINK_MS),
      play: schedule => play(schedule, place),
      onPlayed(played) {
        schedules += 1
        requests += played.histories.flatMap(({ events }) => events).filter(({ event }) => event === 'sent').length
        keepHistory(played, history)
        progress.step(`${schedules} schedules, ${failures.length} failed, ${describeMs(Math.max(0, leftMs()))} left`)
      },
    })
    if (failure === undefined) return
    failures.push(failure)
    print(`\n${describeFailure(failure)}\n`)
  }

  await Promise.all(seeds.map((_, index) => follow(index)))
  const took = performance.now() - startedAt
  if (json)
    process.stdout.write(`${JSON.stringify({ seeds, schedules, requests, ms: Math.round(took), interrupted: signal.aborted, failures }, null, 2)}\n`)
  print(
    `${signal.aborted ? 'Ended early: ' : ''}${schedules} schedules with ${requests} calls in ${describeMs(took)}, seeds ${seeds.join(', ')}: ${failures.length} failed`,
  )
  return failures.length === 0 ? 0 : 1
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UnplayableError(`The schedule cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function keepHistory({ histories }: Played, file: string | undefined): void {
  if (file !== undefined) appendFileSync(file, histories.map(writeHistory).join(''))
}
