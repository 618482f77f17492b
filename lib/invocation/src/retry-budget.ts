export interface RetryBudgetOptions {
  /** Most tokens that can be saved up. */
  capacity?: number
  /** Tokens that one success brings back. */
  perSuccess?: number
  /** Tokens that there are at least once no replay was made for `quietMs`. */
  floor?: number
  quietMs?: number
  now?: () => number
}

export interface RetryBudget {
  /** Takes a token for one replay; `false` when there is none. */
  take(): boolean
  /** An operation succeeded. */
  refill(): void
  readonly tokens: number
}

/**
 * Bounds how much replaying one container does, so that a sick database is not stormed: a token per replay, earned by
 * successes. After a quiet while a few are granted anyway, or a container that rarely runs could never replay.
 */
export function createRetryBudget({
  capacity = 10,
  perSuccess = 1,
  floor = 3,
  quietMs = 10_000,
  now = Date.now,
}: RetryBudgetOptions = {}): RetryBudget {
  let tokens = capacity
  let lastReplayAt = Number.NEGATIVE_INFINITY
  return {
    take() {
      // A clock that was set back counts as quiet: the worst that follows are a few replays more.
      const quiet = now() - lastReplayAt >= quietMs || now() < lastReplayAt
      if (quiet) tokens = Math.max(tokens, floor)
      if (tokens < 1) return false
      tokens -= 1
      lastReplayAt = now()
      return true
    },
    refill() {
      tokens = Math.min(capacity, tokens + perSuccess)
    },
    get tokens() {
      return tokens
    },
  }
}
