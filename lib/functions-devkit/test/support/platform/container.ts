import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { contextVariables, createContext } from '../../../src/server/platform/context.ts'
import { LARGEST_PAYLOAD } from '../../../src/server/platform/limits.ts'
import { unpack } from './action-folder.ts'
import { atExit } from './at-exit.ts'
import { ask, nextAnswer, type Ended } from './conversation.ts'
import { readLog } from './log-reader.ts'
import { type Answer, type RuntimeKind } from './protocol.ts'

/** Why the platform gives a container up: after that every call to it fails. */
export type Discarded =
  { reason: 'exited'; code: number | null; signal: NodeJS.Signals | null } | { reason: 'time limit' } | { reason: 'not an object'; type: string }

/** One call as the platform sees it. */
export interface CallOutcome {
  /** What `main` resolved to, or `{ error }` for what it threw; undefined when the container was given up. */
  result: Record<string, unknown> | undefined
  /** What was printed since the call before, loading included. */
  logs: { stdout: string; stderr: string }
  exited?: Discarded
}

export interface ContainerOptions {
  zip: Buffer
  runtime: RuntimeKind
  /** The function's variables, set before its code is loaded and never again. */
  environment?: Record<string, string>
  /** As in project.yml, the platform's defaults included; memory and logs are not enforced. */
  limits?: { timeout?: number; memory?: number; logs?: number }
  /** `package/function`. */
  name?: string
}

/** A container that has loaded its function. It serves one call at a time. */
export interface Container extends AsyncDisposable {
  pid: number
  /** How long loading the code took. */
  initMs: number
  run(event: object): Promise<CallOutcome>
  /** Freezes the process, as the platform does between calls. The next call thaws it. */
  pause(): void
  resume(): void
  /** What was printed after the last call had ended; it would show up in the log of the next one. */
  lateLogs(): { stdout: string; stderr: string }
  /** Ends the process in order (SIGTERM) and removes its files. */
  stop(): Promise<void>
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 3000
const LONGEST_STOP_MS = 2000
const LONGEST_PROCESS_START_MS = 30_000
const RUNNER = join(import.meta.dirname, 'runner.ts')
const API_HOST = 'https://faas.example.test'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const live = new Set<Container>()

/** Stops every container that a test has left running; for `afterEach`. */
export async function stopContainers(): Promise<void> {
  await Promise.all([...live].map(container => container.kill()))
}

/**
 * Starts a container and loads a function in it: a process of its own with an empty environment, in a folder that
 * holds the zip's content and nothing else. Rejects when loading fails or takes longer than the time limit.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { zip, runtime, environment = {}, name = 'app/function' } = options
  const timeoutMs = options.limits?.timeout ?? DEFAULT_TIMEOUT_MS
  const files = unpack(zip)
  const child = fork(RUNNER, [], {
    cwd: files.action,
    env: { HOME: files.home, PATH, __OW_API_HOST: API_HOST },
    // Apache's runtime cannot load ES modules; recent versions of Node could.
    execArgv: runtime === 'apache' ? ['--no-experimental-require-module'] : [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const spared = atExit(() => child.kill('SIGKILL'))
  const gone = once(child, 'close')
    .catch(() => undefined)
    .finally(spared)
  if (!child.stdout || !child.stderr) throw new Error('The container has no output')
  const stdout = readLog(child.stdout)
  const stderr = readLog(child.stderr)

  let busy = false
  let discarded: Discarded | undefined
  let untilDeadlineMs = timeoutMs

  async function end(how: NodeJS.Signals): Promise<void> {
    child.kill(how)
    child.kill('SIGCONT')
    const forced = setTimeout(() => child.kill('SIGKILL'), LONGEST_STOP_MS)
    await gone
    clearTimeout(forced)
    files.remove()
    live.delete(container)
  }

  async function discard(reason: Discarded): Promise<Discarded> {
    discarded ??= reason
    await end('SIGKILL')
    return discarded
  }

  const container: Container = {
    pid: child.pid ?? 0,
    initMs: 0,
    async run(event) {
      if (busy) throw new Error('The container is busy: it serves one call at a time')
      if (discarded) return { result: undefined, logs: { stdout: '', stderr: '' }, exited: discarded }
      busy = true
      const context = createContext({ qualifiedName: name, timeoutMs: untilDeadlineMs, apiHost: API_HOST })
      const asked = ask(child, { order: 'run', event, environment: { ...contextVariables(context) } }, untilDeadlineMs)
      // Thawed only now: the request is there before the process runs again.
      child.kill('SIGCONT')
      const answer = await asked
      untilDeadlineMs = timeoutMs
      const exited = unusable(answer)
      const kept = exited && (await discard(exited))
      const logs = { stdout: await stdout.nextCall(), stderr: await stderr.nextCall() }
      busy = false
      return kept ? { result: undefined, logs, exited: kept } : { result: limited(answer), logs }
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    lateLogs: () => ({ stdout: stdout.rest(), stderr: stderr.rest() }),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  }
  live.add(container)

  await nextAnswer(child, LONGEST_PROCESS_START_MS)
  const loaded = await ask(child, { order: 'init', runtime, folder: files.action, environment }, timeoutMs)
  if (loaded.answer !== 'initialised') {
    await end('SIGKILL')
    const why =
      loaded.answer === 'failed' ? loaded.error : loaded.answer === 'exited' ? `it exited with ${loaded.signal ?? loaded.code}` : loaded.answer
    throw new Error(`The function could not be initialised: ${why}\n${stdout.rest()}${stderr.rest()}`)
  }
  container.initMs = loaded.ms
  // The first call's deadline was set before the code was loaded.
  untilDeadlineMs = Math.max(0, timeoutMs - Math.ceil(loaded.ms))
  return container
}

function unusable(answer: Answer | Ended): Discarded | undefined {
  if (answer.answer === 'exited') return { reason: 'exited', code: answer.code, signal: answer.signal }
  if (answer.answer === 'time limit') return { reason: 'time limit' }
  return answer.answer === 'refused' ? { reason: 'not an object', type: answer.type } : undefined
}

/** The result, or what the platform puts in the place of one that is too large. */
function limited(answer: Answer | Ended): Record<string, unknown> | undefined {
  if (answer.answer !== 'result') return undefined
  const size = Buffer.byteLength(JSON.stringify(answer.result))
  if (size <= LARGEST_PAYLOAD) return answer.result as Record<string, unknown>
  return { error: `The action produced a response that exceeded the allowed length: ${size} > ${LARGEST_PAYLOAD} bytes.` }
}
