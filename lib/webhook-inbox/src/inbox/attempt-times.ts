const MINUTE_MS = 60_000
const LONGEST_MS = 6 * 60 * MINUTE_MS

/** After so many attempts in all an event is parked. */
export const MOST_ATTEMPTS = 12

/** How long after its `attempts`-th attempt (from 1) an event is due again, in ms: 1 minute, doubled each time, at most 6 hours. */
export function backoffMs(attempts: number): number {
  return Math.min(LONGEST_MS, MINUTE_MS * 2 ** (attempts - 1))
}
