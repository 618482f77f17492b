import { DeadlineExceededError } from './errors.ts'

// Time kept back for turning the outcome into an answer: this much, or a tenth of what is left if that is more.
const RESERVE_MS = 500
const RESERVE_SHARE = 0.1
// The platform answers a web call with 202 after 30 s, which a webhook's sender takes for success.
export const LONGEST_PUBLIC_MS = 20_000

export interface DeadlineOptions {
  /** Time that the platform leaves the invocation, in ms. */
  remainingMs: number
  /** Never longer than this, in ms. */
  atMostMs?: number
  /** Time kept back for answering, in ms; by default 500 or a tenth, whichever is more. */
  reserveMs?: number
  now?: () => number
}

/** The instant by which work must have ended. One per invocation, handed down; `signal` aborts when it passes. */
export interface Deadline {
  /** Epoch ms. */
  readonly at: number
  readonly signal: AbortSignal
  /** Ms left, never negative. */
  remainingMs(): number
  /** @throws DeadlineExceededError when no time is left, or less than `leastMs`. */
  throwIfPassed(leastMs?: number): void
  /** Stops the timer behind `signal`; nothing may fire in a container that has answered. */
  clear(): void
  /** Lets it pass now: what still runs is told to stop. */
  end(): void
}

/** Opens the deadline of one invocation. */
export function openDeadline({ remainingMs, atMostMs = Number.POSITIVE_INFINITY, reserveMs, now = Date.now }: DeadlineOptions): Deadline {
  const reserve = reserveMs ?? Math.max(RESERVE_MS, remainingMs * RESERVE_SHARE)
  const budgetMs = Math.max(0, Math.min(remainingMs - reserve, atMostMs))
  const at = now() + budgetMs
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(passed()), budgetMs)
  // Once it has passed it stays so, although the clock be set back.
  const left = () => (controller.signal.aborted ? 0 : Math.max(0, at - now()))
  return {
    at,
    signal: controller.signal,
    remainingMs: left,
    throwIfPassed(leastMs = 0) {
      if (left() <= leastMs) throw new DeadlineExceededError()
    },
    clear() {
      clearTimeout(timer)
    },
    end() {
      clearTimeout(timer)
      controller.abort(passed())
    },
  }
}

// Without a stack: it would only lead to a clock, and taking it costs every invocation more than all else here.
function passed(): DeadlineExceededError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new DeadlineExceededError()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
