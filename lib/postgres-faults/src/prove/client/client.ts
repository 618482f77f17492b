import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { contextVariables, createContext } from '../../../../functions-devkit/src/server/platform/context.ts'
import { type PlatformEvent } from '../../../../functions-devkit/src/server/platform/event.ts'
import { type CallEnd } from '../../../../functions-devkit/src/server/platform/response.ts'
import { signal } from '../../../../functions-devkit/src/server/postgres/system-process.ts'
import { type Order, type Report, type Variables } from './orders.ts'

/** How a call ended: with an answer, without one because the process was gone, or not at all in its time. */
export type CallOutcome =
  | { readonly outcome: 'answered'; readonly end: CallEnd }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'hung'; readonly lateMs: number }

/** A process that has one function loaded, and can be killed at any time. */
export interface Client {
  /** `package/function`. */
  readonly functionName: string
  readonly pid: number
  /** Makes the next call a cold start, with other variables. `clockMs`: how far its clock is ahead, by default not at all. */
  begin(variables: Variables, options?: { readonly clockMs?: number }): Promise<void>
  /** Calls the function. Never rejects; a process that hangs is killed. */
  call(event: PlatformEvent, deadlineMs: number): Promise<CallOutcome>
  /** Stops it, as the platform does between calls, until `resume`. */
  pause(): void
  resume(): void
  /** Whether it can be called. */
  isUsable(): boolean
  /** Resolves when it has ended. */
  readonly gone: Promise<unknown>
  /** What it has printed since this was last asked. */
  takeOutput(): string
  /** Ends it at once, before this returns. */
  kill(): void
  /** Ends it at once; resolves when it is gone. */
  end(): Promise<void>
}

export interface ClientOptions {
  /** As `writeProgram` wrote it. */
  readonly program: string
  readonly functionName: string
  /** The bundle of the function. */
  readonly entry: string
}

/** How long after its deadline a call may answer: on a busy machine timers are late. */
export const GRACE_MS = 2_000
// Of a function that starts, or ends what it has open.
const LONGEST_ORDER_MS = 20_000
const OUTPUT_KEPT = 20_000

/** An order before it has its number. */
type Unnumbered<One = Order> = One extends unknown ? Omit<One, 'order'> : never

/**
 * Starts a process and loads a function in it.
 * @throws Error when the function cannot be loaded.
 */
export async function startClient({ program, functionName, entry }: ClientOptions): Promise<Client> {
  // In a group of its own: Ctrl-C must not end it in the middle of a run.
  const child = fork(program, [], { execArgv: [], env: { PATH: process.env.PATH }, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const gone = new Promise<string>(resolve => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`)).once('error', error => resolve(error.message))
  })
  const waiting = new Map<number, (report: Report) => void>()
  let output = ''
  let orders = 0
  let clockMs = 0
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-OUTPUT_KEPT)))
  }
  child.on('message', (report: Report) => {
    waiting.get(report.order)?.(report)
    waiting.delete(report.order)
  })
  void gone.then(how => {
    for (const [order, resolve] of waiting) resolve({ order, failed: `the process is gone (${how})` })
    waiting.clear()
  })

  function tell(order: Unnumbered): Promise<Report> {
    const number = ++orders
    if (!isRunning(child)) return Promise.resolve({ order: number, failed: 'the process is gone' })
    return new Promise(resolve => {
      waiting.set(number, resolve)
      child.send({ ...order, order: number }, error => error && resolve({ order: number, failed: error.message }))
    })
  }
  async function obeyed(order: Unnumbered): Promise<void> {
    const report = await within(tell(order), LONGEST_ORDER_MS)
    if (report === undefined) throw new Error(`${functionName} did not ${order.tell} within ${LONGEST_ORDER_MS / 1_000} s:\n${output}`)
    if ('failed' in report) throw new Error(`${functionName} could not ${order.tell}: ${report.failed}\n${output}`)
  }

  const client: Client = {
    functionName,
    pid: child.pid ?? 0,
    async begin(variables, { clockMs: aheadMs = 0 } = {}) {
      clockMs = aheadMs
      await obeyed({ tell: 'begin', variables, clockMs })
    },
    async call(event, deadlineMs) {
      // The platform's clock is that of the machine on which the function runs.
      const now = () => Date.now() + clockMs
      const context = createContext({ qualifiedName: functionName, timeoutMs: deadlineMs, apiHost: 'http://127.0.0.1', now })
      const report = await within(tell({ tell: 'call', event, variables: contextVariables(context) }), deadlineMs + GRACE_MS)
      if (report === undefined) {
        client.kill()
        return { outcome: 'hung', lateMs: GRACE_MS }
      }
      if ('failed' in report) return { outcome: 'failed', reason: report.failed }
      return { outcome: 'answered', end: report.end ?? { end: 'result', result: undefined } }
    },
    pause: () => signalTo(child, 'SIGSTOP'),
    resume: () => signalTo(child, 'SIGCONT'),
    isUsable: () => isRunning(child),
    gone,
    takeOutput() {
      const taken = output
      output = ''
      return taken
    },
    kill: () => void child.kill('SIGKILL'),
    async end() {
      child.kill('SIGKILL')
      await gone
    },
  }
  try {
    if (child.pid === undefined) await once(child, 'spawn')
    await obeyed({ tell: 'load', entry })
    return client
  } catch (error) {
    await client.end()
    throw error
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null && !child.killed
}

// `child.kill` marks the process as killed, whatever the signal.
function signalTo(child: ChildProcess, name: NodeJS.Signals): void {
  if (isRunning(child) && child.pid !== undefined) signal(child.pid, name)
}

async function within<Result>(done: Promise<Result>, longestMs: number): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => (timer = setTimeout(resolve, longestMs, undefined)))
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}
