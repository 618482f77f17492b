// So many rows go in some 20 ms, and a webhook that comes a second time waits for the batch that deletes its event.
const MOST_ROWS = 1_000
// A batch that took longer than this is followed by a smaller one, one that took less by a larger one.
const SLOW_MS = 500
const FAST_MS = 100
const SLOWER = 2
const FAR_TOO_SLOW = 8

/** How many rows the next batch takes: fewer as long as batches are slow. */
export interface BatchSize {
  readonly rows: number
  /** Tells how long a batch took that went through. */
  took(ms: number): void
  /** Tells that a batch was cut off by its time; `false` when there is nothing smaller to try. */
  cutOff(): boolean
}

/** Begins with the most rows that a batch may have. */
export function createBatchSize({ most = MOST_ROWS }: { most?: number } = {}): BatchSize {
  let rows = most
  return {
    get rows() {
      return rows
    },
    took(ms) {
      if (ms > SLOW_MS) rows = Math.max(1, Math.floor(rows / SLOWER))
      else if (ms < FAST_MS) rows = Math.min(most, rows * SLOWER)
    },
    cutOff() {
      if (rows === 1) return false
      rows = Math.max(1, Math.floor(rows / FAR_TOO_SLOW))
      return true
    },
  }
}
