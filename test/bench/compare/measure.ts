import { startContainer, type Container, type Kind } from './container.ts'
import { median, spreadOf, type Spread } from './numbers.ts'
import type { Track } from './stage.ts'
import type { Way } from './ways.ts'

/** One way, on its own track. */
export interface Runner {
  readonly way: Way
  readonly track: Track
}

export interface Cold {
  readonly loadMs: Spread
  /** The first call, connecting included. */
  readonly firstMs: Spread
  /** From the start of the process to the first answer. */
  readonly answerMs: Spread
  readonly connections: number
  readonly trips: number
}

export interface Warm {
  readonly ms: Spread
  readonly cpuMs: number
}

export interface Trips {
  readonly read: number
  readonly write: number
  /** After the connection was idle for longer than five seconds. */
  readonly idleRead: number
  readonly idleWrite: number
}

export interface Paused {
  readonly errors: number
  readonly calls: number
  readonly ms: Spread
  readonly trips: number
}

export type Fault = 'ended' | 'reset' | 'silent'

// Two batches of the same way are no longer apart than the others take.
const BATCH = 20
const IDLE_MS = 5_500
const PAUSE_MS = 600_000
const LONGEST_CALL_MS = 4_000
const SETTLE_MS = 20
// On a large machine V8 lets the young generation grow to fifty megabytes before it looks for what may go.
const SMALL_HEAP = '--max-semi-space-size=1 --max-old-space-size=128'

export function start({ way, track }: Runner, environment: Readonly<Record<string, string>> = {}): Promise<Container> {
  return startContainer(way.entry, { ...track.environment, ...way.environment, ...environment })
}

/** Fresh processes, taken in turns, each for one call. */
export async function measureCold(runners: readonly Runner[], rounds: number): Promise<Map<Runner, Cold>> {
  const samples = new Map(
    runners.map(runner => [runner, [] as { load: number; first: number; answer: number; connections: number; trips: number }[]]),
  )
  for (let round = 0; round < rounds; round += 1) {
    for (const runner of runners) {
      await runner.track.proxy.resetCounts()
      await using container = await start(runner)
      const { loadMs } = await container.loaded()
      const { ms, errors, uptimeMs } = await container.call('read')
      if (errors.length > 0) throw new Error(`${runner.way.name}: ${errors[0]}`)
      const { connections, roundTrips } = await runner.track.proxy.counts()
      samples.get(runner)?.push({ load: loadMs, first: ms[0] ?? Number.NaN, answer: uptimeMs, connections, trips: roundTrips })
    }
  }
  return mapValues(samples, list => ({
    loadMs: spreadOf(list.map(({ load }) => load)),
    firstMs: spreadOf(list.map(({ first }) => first)),
    answerMs: spreadOf(list.map(({ answer }) => answer)),
    connections: median(list.map(({ connections }) => connections)),
    trips: median(list.map(({ trips }) => trips)),
  }))
}

/** Reads, in small batches taken in turns; the first batch of each run does not count. */
export async function measureWarm(runners: readonly Runner[], { calls, runs }: { calls: number; runs: number }): Promise<Map<Runner, Warm>> {
  await using stack = new AsyncDisposableStack()
  const containers = new Map<Runner, Container>()
  for (const runner of runners) containers.set(runner, stack.use(await start(runner)))
  const samples = new Map(runners.map(runner => [runner, { medians: [] as number[], all: [] as number[], cpuMs: 0, calls: 0 }]))
  for (let run = 0; run < runs; run += 1) {
    const ofRun = new Map(runners.map(runner => [runner, [] as number[]]))
    for (let done = -BATCH; done < calls; done += BATCH) {
      for (const [runner, container] of containers) {
        const { ms, errors, cpuMs } = await container.call('read', BATCH)
        if (errors.length > 0) throw new Error(`${runner.way.name}: ${errors[0]}`)
        if (done < 0) continue
        ofRun.get(runner)?.push(...ms)
        const sample = samples.get(runner)
        if (sample) Object.assign(sample, { cpuMs: sample.cpuMs + cpuMs, calls: sample.calls + BATCH })
      }
    }
    for (const [runner, ms] of ofRun) {
      samples.get(runner)?.medians.push(median(ms))
      samples.get(runner)?.all.push(...ms)
    }
  }
  // The median of the runs' medians; the spread of all calls.
  return mapValues(samples, ({ medians, all, cpuMs, calls }) => ({ ms: { ...spreadOf(all), median: median(medians) }, cpuMs: cpuMs / calls }))
}

/** Trips of one call of each kind, warm, and after the connection was idle. */
export async function countTrips(runners: readonly Runner[]): Promise<Map<Runner, Trips>> {
  await using stack = new AsyncDisposableStack()
  const counted = new Map<Runner, Trips>()
  const containers = await Promise.all(runners.map(async runner => [runner, stack.use(await start(runner))] as const))
  const tripsOf = async (runner: Runner, container: Container, kind: Kind) => {
    await runner.track.proxy.resetCounts()
    await container.call(kind)
    return (await runner.track.proxy.counts()).roundTrips
  }
  for (const [runner, container] of containers) {
    await container.call('write')
    await container.call('read', 3)
    counted.set(runner, {
      read: await tripsOf(runner, container, 'read'),
      write: await tripsOf(runner, container, 'write'),
      idleRead: 0,
      idleWrite: 0,
    })
  }
  for (const [name, kind] of [
    ['idleRead', 'read'],
    ['idleWrite', 'write'],
  ] as const) {
    await wait(IDLE_MS)
    for (const [runner, container] of containers)
      counted.set(runner, { ...(counted.get(runner) as Trips), [name]: await tripsOf(runner, container, kind) })
  }
  return counted
}

/** Stops a container, takes its connection from it, lets it go on with a call that waits already. */
export async function measurePaused(runner: Runner, fault: Fault, times: number): Promise<Paused> {
  const ms: number[] = []
  const trips: number[] = []
  let errors = 0
  let calls = 0
  let container = await start(runner)
  try {
    for (; calls < times && errors < 3 + times / 10; calls += 1) {
      await container.call('read')
      await runner.track.proxy.resetCounts()
      await container.pass(PAUSE_MS)
      container.pause()
      const added =
        fault === 'silent' ? await runner.track.proxy.addFault({ on: 'statement', matches: /./, when: 'before', action: 'silence' }) : undefined
      if (fault === 'ended') await runner.track.endSessions()
      if (fault === 'reset') await runner.track.proxy.cutAll('reset')
      const called = container.call('read')
      called.catch(() => undefined)
      await wait(SETTLE_MS)
      const resumedAt = performance.now()
      container.resume()
      const answer = await Promise.race([called.catch(() => undefined), wait(LONGEST_CALL_MS)])
      await added?.remove()
      ms.push(performance.now() - resumedAt)
      trips.push((await runner.track.proxy.counts()).roundTrips)
      if (answer !== undefined && answer.errors.length === 0) continue
      errors += 1
      await container[Symbol.asyncDispose]()
      container = await start(runner)
    }
    return { errors, calls, ms: spreadOf(ms), trips: Math.max(...trips) }
  } finally {
    await container[Symbol.asyncDispose]()
  }
}

/** Resident memory after so many calls, in MB, with a heap as V8 sizes it in a container of 256 MB. */
export async function measureMemory(runner: Runner, after: readonly number[]): Promise<number[]> {
  await using container = await start(runner, { NODE_OPTIONS: SMALL_HEAP })
  const seen: number[] = []
  let done = 0
  for (const calls of after) {
    for (; done < calls; done += BATCH) await container.call('read', BATCH)
    seen.push(await container.residentMb())
  }
  return seen
}

/** Loading alone: of what is compared, of ours with Sequelize, pg and the models, and of a webhook up to its 401. */
export async function measureLoading(runner: Runner, measured: 'load' | 'evaluate' | 'call', rounds: number): Promise<number[]> {
  const ms: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    await using container = await start(runner)
    const { loadMs } = await container.loaded()
    if (measured === 'load') ms.push(loadMs)
    else if (measured === 'evaluate') ms.push(loadMs + (await container.evaluate()).evaluateMs)
    else {
      const called = await container.call('read')
      if (called.errors.length > 0) throw new Error(`${runner.way.name}: ${called.errors[0]}`)
      ms.push(loadMs + (called.ms[0] ?? Number.NaN))
    }
  }
  return ms
}

function mapValues<Key, Value, Result>(map: ReadonlyMap<Key, Value>, change: (value: Value) => Result): Map<Key, Result> {
  return new Map([...map].map(([key, value]) => [key, change(value)]))
}

function wait(ms: number): Promise<undefined> {
  return new Promise(resolve => void setTimeout(resolve, ms, undefined))
}
