import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { END_OF_ACTIVATION, type Answer, type Order, type RuntimeKind } from './protocol.ts'

// The process inside a container: takes the place of the runtime's HTTP server with /init and /run.

type Main = (event: unknown, context?: object) => unknown

let main: Main | undefined
let runtime: RuntimeKind

process.on('message', (order: Order) => void obey(order))
// Nobody is left to stop this process once its parent is gone.
process.on('disconnect', () => process.exit())
tell({ answer: 'listening' })

async function obey(order: Order): Promise<void> {
  switch (order.order) {
    case 'init':
      return initialise(order)
    case 'run':
      return run(order)
    default:
      order satisfies never
  }
}

async function initialise(order: Order & { order: 'init' }): Promise<void> {
  if (main) return tell({ answer: 'failed', error: 'Cannot initialize the action more than once.' })
  const started = performance.now()
  runtime = order.runtime
  Object.assign(process.env, order.environment)
  try {
    const loaded = await load(join(order.folder, entryOf(order.folder)))
    if (typeof loaded.main !== 'function') throw new Error("The entry point exports no function 'main'.")
    main = loaded.main as Main
    tell({ answer: 'initialised', ms: performance.now() - started })
  } catch (error) {
    tell({ answer: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

/** Where a zip's code begins: what package.json names, else index.mjs, else index.js. */
function entryOf(folder: string): string {
  const manifest = join(folder, 'package.json')
  const named = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as { main?: string }).main : undefined
  return named ?? (existsSync(join(folder, 'index.mjs')) ? 'index.mjs' : 'index.js')
}

async function load(path: string): Promise<{ main?: unknown }> {
  if (runtime === 'apache') return createRequire(path)(path) as { main?: unknown }
  return (await import(pathToFileURL(path).href)) as { main?: unknown }
}

async function run(order: Order & { order: 'run' }): Promise<void> {
  Object.assign(process.env, order.environment)
  let answer: Answer
  try {
    const result = runtime === 'apache' ? await main?.(order.event) : await main?.(order.event, contextFrom(process.env))
    answer = isResult(result) ? { answer: 'result', result: asJson(result ?? {}) } : { answer: 'refused', type: typeName(result) }
  } catch (error) {
    answer = { answer: 'result', result: { error: asJson(error instanceof Error ? plain(error) : error) } }
  }
  // Both streams are pipes, which Node writes to synchronously: the mark stands after all that was printed so far.
  process.stdout.write(`${END_OF_ACTIVATION}\n`)
  process.stderr.write(`${END_OF_ACTIVATION}\n`)
  tell(answer)
}

/** The second argument as DigitalOcean's runtime makes it, out of the variables. */
function contextFrom(environment: NodeJS.ProcessEnv): object {
  const deadline = Number(environment.__OW_DEADLINE)
  return {
    functionName: environment.__OW_ACTION_NAME,
    functionVersion: environment.__OW_ACTION_VERSION,
    activationId: environment.__OW_ACTIVATION_ID,
    requestId: environment.__OW_TRANSACTION_ID,
    deadline,
    apiHost: environment.__OW_API_HOST,
    apiKey: '',
    namespace: environment.__OW_NAMESPACE,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}

function isResult(result: unknown): boolean {
  if (result === undefined) return true
  return typeof result === 'object' && result !== null && (runtime === 'apache' || !Array.isArray(result))
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** An error as the runtimes serialise it: own fields and, unfortunately, the stack. */
function plain(error: Error): object {
  return { ...error, name: error.name, message: error.message, stack: error.stack }
}

/** Leaves the process as JSON; throws for what JSON cannot hold. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown
}

function tell(answer: Answer): void {
  process.send?.(answer)
}
