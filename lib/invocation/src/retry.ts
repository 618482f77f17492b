import { backoffMs } from './backoff.ts'
import type { Deadline } from './deadline.ts'
import type { RetryBudget } from './retry-budget.ts'
import { wait } from './wait.ts'

export interface RetryOptions {
  deadline: Deadline
  signal: AbortSignal
  /** How often at most; waiting for a connection, where nothing is done again, has no such bound. */
  maxReplays?: number
  /** Pays for each replay, if replays cost the other side anything. */
  budget?: RetryBudget
  /** Shortens a delay that does not fit into the time left: for what costs the other side little. */
  shorten?: boolean
  /** For what needs time to pass by itself: the delays begin longer. */
  slow?: boolean
  random?: (() => number) | undefined
  /** Told before each wait. */
  onReplay?: (replay: { number: number; delayMs: number }) => void
}

export const MAX_REPLAYS = 10
// A try with less time than this left could only fail, and hide what failed before it.
const SHORTEST_TRY_MS = 100
const BACKOFF = { firstMs: 50, longestMs: 2_000 }
const SLOW_BACKOFF = { firstMs: 500, longestMs: 5_000 }

/**
 * Waits until something that failed may be tried again, `replays` replays having been made before. Resolves to `false`
 * when it must not: too often, no time left for it, no budget, or the caller gave up. Growing delays with full jitter.
 */
export async function untilReplay(
  replays: number,
  { deadline, signal, maxReplays = MAX_REPLAYS, budget, shorten = false, slow = false, random, onReplay }: RetryOptions,
): Promise<boolean> {
  const drawnMs = backoffMs(replays, { ...(slow ? SLOW_BACKOFF : BACKOFF), ...(random ? { random } : {}) })
  const leftMs = deadline.remainingMs() - SHORTEST_TRY_MS
  const delayMs = shorten ? Math.min(drawnMs, leftMs) : drawnMs
  if (signal.aborted || replays >= maxReplays || leftMs <= 0 || delayMs > leftMs) return false
  if (budget !== undefined && !budget.take()) return false
  onReplay?.({ number: replays + 1, delayMs: Math.round(delayMs) })
  return wait(delayMs, signal).then(
    () => true,
    () => false,
  )
}
