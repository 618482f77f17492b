import { availableParallelism, cpus } from 'node:os'
import { hasPgBouncer } from '../../../lib/postgres-faults/src/pgbouncer.ts'
import { stopContainers } from '../../../lib/functions-devkit/test/support/platform/container.ts'
import { buildFunctions } from '../build-functions.ts'
import { runAfterCrowd } from './after-crowd.ts'
import { command } from './options.ts'
import { runOverload } from './overload.ts'
import { MAX_CONNECTIONS, openStage, POOLER_SIZE, USABLE } from './stage.ts'
import { plainTable, type Line } from './table.ts'
import { waysToCompare } from './ways.ts'
import { runWaves } from './waves.ts'

// npm run bench:fleet: a fleet of containers on a server that takes 22 connections, beside two rivals.

const options = command.readOrExit()
buildFunctions()
const startedAt = performance.now()
const routes = hasPgBouncer() ? (['direct', 'PgBouncer'] as const) : (['direct'] as const)
const stage = await openStage()
let ending: Promise<void> | undefined

// Ctrl-C, or a wish to end from elsewhere: what was started ends first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void end().then(() => process.exit(signal === 'SIGINT' ? 130 : 143)))
}

try {
  console.log(
    `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, PostgreSQL ${stage.version} without TLS, max_connections ${MAX_CONNECTIONS}, ${USABLE} usable; deadline ${options.deadlineMs / 1_000} s; PgBouncer in transaction mode with ${POOLER_SIZE} connections of the server`,
  )
  const ways = await waysToCompare()
  const waves: Line[] = []
  for (const route of routes) for (const way of ways) waves.push(...(await tell(`${way.name}, ${route}`, runWaves(stage, way, route, options))))
  show(
    `${options.waves} waves of ${options.containers} calls, half of them reads and half writes; every container is paused as soon as it has answered.`,
    waves,
  )
  show(
    'As many containers as the platform runs, called at once, directly, with calls that take their time.',
    await tell('overload', runOverload(stage, options)),
  )
  const [ours] = ways
  if (ours)
    show(
      'A few containers while a crowd holds the connections, and after it has gone.',
      await tell('after the crowd', runAfterCrowd(stage, ours, options)),
    )
} catch (error) {
  // What fails because everything is being ended is no news.
  if (ending === undefined) throw error
} finally {
  await end()
}

function end(): Promise<void> {
  ending ??= stopContainers().then(() => stage[Symbol.asyncDispose]())
  return ending
}

async function tell<Result>(what: string, work: Promise<Result>): Promise<Result> {
  const result = await work
  console.error(`${what}: done after ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  return result
}

function show(title: string, lines: readonly Line[]): void {
  console.log(`\n${title}\n\n${plainTable(lines)}`)
}
