import { type CallContext } from '../platform/context.ts'
import { type PlatformEvent } from '../platform/event.ts'
import { type CallEnd } from '../platform/response.ts'
import { errorOf, readEnd, runParameters } from './call.ts'
import { watchMemory } from './memory.ts'
import { post, type PostAnswer } from './post.ts'
import { type SelfDescription } from './protocol.ts'
import { startRuntime, type Exit, type RuntimeProcessOptions } from './runtime-process.ts'

export interface ContainerOptions extends RuntimeProcessOptions {
  /** The file to load. */
  readonly entry: string
  /** The function's variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Of loading and of each call. Infinity for none. */
  readonly timeoutMs: number
  readonly memoryMb: number
  /** Where the sources lie: errors are shown in full then. */
  readonly checkout?: string
}

/** One call. */
export interface ContainerCall {
  readonly event: PlatformEvent
  readonly context: CallContext
  /** The part of the call's time that is spent, by loading the function. */
  readonly spentMs?: number
}

/** A process that has loaded its function and takes one call at a time. */
export interface Container {
  readonly pid: number
  readonly self: SelfDescription
  /** How long loading took. */
  readonly initMs: number
  /** Never rejects. What overran, crashed or took too much memory is destroyed by then. */
  run(call: ContainerCall): Promise<CallEnd>
  /** Whether it can take another call, as far as the platform knows: it learns of a crash between calls at the next one. */
  isUsable(): boolean
  pause(): void
  /** Ends the process at once; resolves when it is gone. */
  destroy(): Promise<void>
}

type Asked = { readonly outcome: 'answered'; readonly answer: PostAnswer } | { readonly outcome: 'discarded'; readonly reason: string }

// The platform's longest.
const MAX_TIMEOUT_MS = 900_000
// How long the platform waits for the marks in the log.
const LONGEST_MARK_MS = 2_000
// A connection breaks shortly before its process is gone.
const LONGEST_EXIT_MS = 1_000

/**
 * Starts a container and loads its function: a cold start.
 * @throws Error when the function cannot be loaded, with what the runtime says.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { entry, environment, timeoutMs, memoryMb, checkout } = options
  const runtime = await startRuntime(options)
  const { pid, output, gone, signal } = runtime
  let usable = true
  let paused = false

  async function destroy(): Promise<void> {
    usable = false
    signal('SIGKILL')
    await gone
  }

  async function ask(path: '/init' | '/run', body: unknown, limitMs: number): Promise<Asked> {
    // Its port may be another program's by now.
    if (runtime.exit() !== undefined) return discarded(exitedUnexpectedly(await gone))
    let broken: string | undefined
    const breakOff = (reason: string) => {
      broken ??= reason
      signal('SIGKILL')
    }
    const timer = Number.isFinite(limitMs)
      ? setTimeout(() => breakOff(`exceeded its time limit of ${timeoutMs} ms`), Math.max(0, limitMs))
      : undefined
    const memory = watchMemory(pid, memoryMb, () => breakOff(`exhausted its memory of ${memoryMb} MB`))
    try {
      const answer = await post({ ...runtime, path, body })
      memory.check()
      return broken === undefined ? { outcome: 'answered', answer } : await discarded(broken)
    } catch {
      await within(gone, LONGEST_EXIT_MS)
      signal('SIGKILL')
      const exit = await gone
      return await discarded(broken ?? exitedUnexpectedly(exit))
    } finally {
      clearTimeout(timer)
      memory.stop()
    }
  }

  async function discarded(reason: string): Promise<Asked> {
    await destroy()
    return { outcome: 'discarded', reason }
  }

  async function run({ event, context, spentMs = 0 }: ContainerCall): Promise<CallEnd> {
    const leftMs = timeoutMs - spentMs
    // A deadline is a number of ms, whatever the limit.
    const deadline = Date.now() + (Number.isFinite(leftMs) ? leftMs : MAX_TIMEOUT_MS)
    if (paused) signal('SIGCONT')
    paused = false
    output.begin(context.activationId)
    const asked = await ask('/run', { ...runParameters({ ...context, deadline }), value: event }, leftMs)
    if (asked.outcome === 'discarded') return { end: 'discarded', reason: asked.reason }
    await within(output.callEnded(), LONGEST_MARK_MS)
    const end = readEnd(asked.answer)
    if (end.end === 'discarded') await destroy()
    return end
  }

  const startedAt = performance.now()
  const asked = await ask('/init', { value: { entry, env: environment, checkout } }, timeoutMs)
  if (asked.outcome === 'discarded' || asked.answer.status !== 200) {
    await destroy()
    throw new Error(`It could not be initialised: ${asked.outcome === 'discarded' ? asked.reason : errorOf(asked.answer)}`)
  }
  const { variables, settingIssues, scopes } = JSON.parse(asked.answer.text ?? '{}') as SelfDescription
  return {
    pid,
    self: { variables, settingIssues, scopes },
    initMs: performance.now() - startedAt,
    run,
    isUsable: () => usable,
    pause() {
      if (paused) return
      paused = true
      signal('SIGSTOP')
    },
    destroy,
  }
}

function exitedUnexpectedly(exit: Exit): string {
  return `exited unexpectedly (${exit})`
}

async function within(done: Promise<unknown>, longestMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([done, new Promise(resolve => (timer = setTimeout(resolve, longestMs).unref()))])
  clearTimeout(timer)
}
