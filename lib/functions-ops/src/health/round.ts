export interface RoundOptions {
  /** For so long its result is given to whoever asks, in ms; also when it failed. */
  keepMs: number
  now?: () => number
}

/**
 * Has everybody who asks at once, or soon after, share one run: probes must not become a load. `fresh` begins another
 * unless one is under way.
 */
export function createRound<Result>(
  run: () => Promise<Result>,
  { keepMs, now = Date.now }: RoundOptions,
): (options?: { fresh?: boolean }) => Promise<Result> {
  let running: Promise<Result> | undefined
  let kept: { result: Promise<Result>; at: number } | undefined
  return ({ fresh = false } = {}) => {
    if (running !== undefined) return running
    // A clock that was set back must not keep it for hours.
    const ageMs = kept === undefined ? Number.POSITIVE_INFINITY : now() - kept.at
    if (!fresh && kept !== undefined && ageMs >= 0 && ageMs < keepMs) return kept.result
    const result = run()
    running = result
    const done = () => {
      kept = { result, at: now() }
      running = undefined
    }
    result.then(done, done)
    return result
  }
}
