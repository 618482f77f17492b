import { setTimeout as wait } from 'node:timers/promises'
import * as z from 'zod/mini'
import { DoctlError, type Doctl, type DoctlResult } from './doctl.ts'
import { reasonOf } from './reason.ts'

/** How one call of a function ended. */
export type CallOutcome =
  | { readonly outcome: 'succeeded'; readonly id: string; readonly result: Readonly<Record<string, unknown>> }
  /** The function answered an error, crashed or exceeded its time limit. */
  | { readonly outcome: 'failed'; readonly id: string; readonly error: unknown }
  /** The platform did not accept the call. */
  | { readonly outcome: 'not-called'; readonly reason: string }
  /** Neither success nor failure was seen within the time limit. */
  | { readonly outcome: 'unknown'; readonly id: string; readonly reason: string }

export interface CallOptions {
  readonly doctl: Doctl
  /** `package/function`. */
  readonly name: string
  /** Options of `functions invoke` that pass the input. */
  readonly input?: readonly string[]
  /** The function's own time limit, in ms. */
  readonly timeoutMs: number
  readonly sleep?: (ms: number) => Promise<unknown>
}

const POLL_MS = 2_000
// The call may wait for a container, and its record is written after it ends.
const SPARE_MS = 60_000
// A single failed request says nothing about the function.
const MOST_FAILED_POLLS = 5

const started = z.object({ activationId: z.string().check(z.regex(/^\w+$/)) })
const ended = z.object({ response: z.object({ success: z.boolean(), result: z.optional(z.unknown()) }) })

/**
 * Calls a function once and waits for its end. A blocking call would not do: doctl prints the same text with status 0
 * for a failure as for a call that still runs.
 */
export async function callFunction({ doctl, name, input = [], timeoutMs, sleep = wait }: CallOptions): Promise<CallOutcome> {
  const call = await asResult(doctl('serverless', 'functions', 'invoke', name, '--no-wait', ...input))
  const id = call.status === 0 ? started.safeParse(parse(call.stdout)).data?.activationId : undefined
  if (id === undefined) return { outcome: 'not-called', reason: reasonOf(call) }
  let failedPolls = 0
  for (let waitedMs = 0; waitedMs < timeoutMs + SPARE_MS; waitedMs += POLL_MS) {
    const poll = await asResult(doctl('serverless', 'activations', 'get', id))
    const record = poll.status === 0 ? ended.safeParse(parse(poll.stdout)).data : undefined
    if (record !== undefined) return endOf(id, record.response)
    const reason = reasonOf(poll)
    failedPolls = isNotEnded(reason) ? 0 : failedPolls + 1
    if (failedPolls === MOST_FAILED_POLLS) return { outcome: 'unknown', id, reason: `has no readable record (${reason})` }
    await sleep(POLL_MS)
  }
  return { outcome: 'unknown', id, reason: `has not ended within ${Math.round((timeoutMs + SPARE_MS) / 1000)} s` }
}

/** Returns what the platform logged during a call, line by line; empty when there is no log. */
export async function readLog(doctl: Doctl, id: string): Promise<string[]> {
  const { status, stdout } = await asResult(doctl('serverless', 'activations', 'logs', id))
  if (status !== 0) return []
  return stdout
    .split('\n')
    .map(line => line.replace(/^\S+ +(?:stdout|stderr): ?/, '').trimEnd())
    .filter(line => line !== '')
}

function endOf(id: string, { success, result }: z.output<typeof ended>['response']): CallOutcome {
  const fields = typeof result === 'object' && result !== null ? (result as Readonly<Record<string, unknown>>) : {}
  return success ? { outcome: 'succeeded', id, result: fields } : { outcome: 'failed', id, error: fields.error ?? result }
}

// What the function did must be reported even if one call of doctl exceeds its time limit.
async function asResult(call: Promise<DoctlResult>): Promise<DoctlResult> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof DoctlError)) throw error
    return { status: 1, stdout: '', stderr: error.message }
  }
}

// A record exists only after the end.
function isNotEnded(reason: string): boolean {
  return /does not exist/.test(reason)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
