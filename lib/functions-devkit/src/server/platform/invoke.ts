import { setTimeout as sleep } from 'node:timers/promises'
import { contextVariables, type CallContext } from './context.ts'
import { type PlatformEvent } from './event.ts'
import { LONGEST_WEB_WAIT_MS } from './limits.ts'
import { type CallEnd } from './response.ts'

/** A function's entry point. */
export type Main = (event: PlatformEvent, context?: CallContext) => unknown

export interface InvokeOptions {
  readonly main: Main
  readonly event: PlatformEvent
  readonly context: CallContext
  /** The function's time limit. */
  readonly timeoutMs: number
  readonly environment?: Record<string, string | undefined>
  /** Resolves after a time; stops waiting when the signal is raised. */
  readonly wait?: Wait
}

export type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>

const waitForTimer: Wait = (ms, signal) => sleep(ms, undefined, { signal, ref: false })

/** A call under way. */
export interface Activation {
  /** How the platform sees it end: an overrun once the time limit has passed. Never rejects. */
  readonly ended: Promise<CallEnd>
  /** When `main` itself is done, overrun or not: code of this process cannot be stopped from outside. */
  readonly settled: Promise<void>
}

/** Calls `main` as the platform does: fresh `__OW_*` variables, the event, the context, and a time limit. */
export function invoke({ main, event, context, timeoutMs, environment = process.env, wait = waitForTimer }: InvokeOptions): Activation {
  Object.assign(environment, contextVariables(context))
  const called = call(main, event, context)
  return {
    ended: firstOf(called, timeoutMs, wait, { end: 'discarded', reason: `exceeded its time limit of ${timeoutMs} ms` }),
    settled: called.then(() => undefined),
  }
}

/** What a web client waits for: the end of the call, or `late` when that takes longer than it is kept waiting. */
export function endForWeb(ended: Promise<CallEnd>, wait: Wait = waitForTimer): Promise<CallEnd | { readonly end: 'late' }> {
  return firstOf(ended, LONGEST_WEB_WAIT_MS, wait, { end: 'late' } as const)
}

async function call(main: Main, event: PlatformEvent, context: CallContext): Promise<CallEnd> {
  try {
    return { end: 'result', result: await main(event, context) }
  } catch (error) {
    return { end: 'thrown', error }
  }
}

async function firstOf<End, Otherwise>(ended: Promise<End>, ms: number, wait: Wait, otherwise: Otherwise): Promise<End | Otherwise> {
  const done = new AbortController()
  const tooLong = wait(ms, done.signal).then(
    () => otherwise,
    () => ended,
  )
  try {
    return await Promise.race([ended, tooLong])
  } finally {
    done.abort()
  }
}
