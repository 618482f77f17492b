import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import {
  countTrips,
  measureCold,
  measureLoading,
  measureMemory,
  measurePaused,
  measureWarm,
  type Fault,
  type Paused,
  type Runner,
} from './measure.ts'
import { spreadOf } from './numbers.ts'
import { command, type BenchOptions } from './options.ts'
import { describe, type Results } from './report.ts'
import { openStage, type Stage } from './stage.ts'
import { buildWays, type Way, type Ways } from './ways.ts'

// npm run bench: ours beside four ways that people use today, in one run on one PostgreSQL. Nothing asserts it.

const DELAYS_MS = [0, 5]
const MEMORY_AFTER = [200, 1_000, 5_000]
const FAULTS: readonly Fault[] = ['ended', 'reset', 'silent']

const options = command.readOrExit()
const startedAt = performance.now()
using ways = await buildWays()
await using stage = await openStage()
// Ctrl-C: what was started ends first.
process.once('SIGINT', () => void stage[Symbol.asyncDispose]().then(() => (ways[Symbol.dispose](), process.exit(130))))

const results = await measure(stage, ways, options)
process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : describe(results))

async function measure(on: Stage, { compared, direct, webhook, unbundled }: Ways, { rounds, calls, runs, faults }: BenchOptions): Promise<Results> {
  const runnerOf = async (way: Way): Promise<Runner> => ({ way, track: await on.openTrack(way.name) })
  const runners = await Promise.all(compared.map(runnerOf))
  const [bare, user, service] = runners as [Runner, Runner, Runner]
  const directly = await runnerOf(direct)
  const delay = (delayMs: number) => Promise.all([...runners, directly].map(({ track }) => track.proxy.setDelay(delayMs)))

  const cold: Results['cold'][number][] = []
  const warm: Results['warm'][number][] = []
  for (const delayMs of DELAYS_MS) {
    await delay(delayMs)
    cold.push({ delayMs, ways: byName(await tell(`cold, ${delayMs} ms`, measureCold([...runners, directly], rounds))) })
    const times = { calls: delayMs === 0 ? calls : Math.ceil(calls / 5), runs }
    warm.push({ delayMs, ways: byName(await tell(`warm, ${delayMs} ms`, measureWarm(runners, times))) })
  }
  const trips = byName(await tell('trips', countTrips(runners)))
  await delay(0)

  const paused: Record<string, Record<Fault, Paused>> = {}
  for (const runner of runners) {
    const of = {} as Record<Fault, Paused>
    for (const fault of FAULTS) of[fault] = await tell(`paused, ${runner.way.name}, ${fault}`, measurePaused(runner, fault, faults))
    paused[runner.way.name] = of
  }
  const memory: Record<string, number[]> = {}
  for (const runner of runners.filter(one => one === bare || one === user || one.way.name === 'stock Sequelize')) {
    memory[runner.way.name] = await tell(`memory, ${runner.way.name}`, measureMemory(runner, MEMORY_AFTER))
  }
  const loading = {
    [unbundled.name]: await measureLoading({ way: unbundled, track: bare.track }, 'load', rounds),
    'ours, api/user with Sequelize, pg and the models': await measureLoading(user, 'evaluate', rounds),
    'ours, one operation, the same': await measureLoading(service, 'evaluate', rounds),
    'pg.Pool, the bundle': await measureLoading(bare, 'load', rounds),
    [webhook.name]: await measureLoading({ way: webhook, track: user.track }, 'call', rounds),
  }
  await tell('loading', Promise.resolve())

  return {
    machine: `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GB`,
    versions: `Node ${process.version}, PostgreSQL ${on.version}, ${['sequelize', 'pg', 'postgres'].map(name => `${name} ${versionOf(name)}`).join(', ')}, TLS 1.3`,
    cold,
    warm,
    trips,
    paused,
    memory: { after: MEMORY_AFTER, ways: memory },
    loading: Object.fromEntries(Object.entries(loading).map(([name, ms]) => [name, spreadOf(ms)])),
  }
}

function byName<Value>(of: ReadonlyMap<Runner, Value>): Record<string, Value> {
  return Object.fromEntries([...of].map(([{ way }, value]) => [way.name, value]))
}

async function tell<Result>(what: string, work: Promise<Result>): Promise<Result> {
  const result = await work
  console.error(`${what}: done after ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  return result
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, '../../../node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
}
