export interface BackoffOptions {
  firstMs: number
  longestMs: number
  factor?: number
  random?: () => number
}

/**
 * Delay before replay number `replay` (from 0), in ms: exponential with full jitter, so that callers that failed
 * together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs(replay: number, { firstMs, longestMs, factor = 2, random = Math.random }: BackoffOptions): number {
  return random() * Math.min(longestMs, firstMs * factor ** replay)
}
