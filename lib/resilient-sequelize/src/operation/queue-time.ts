import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { DatabaseBusyError } from '../errors/errors.ts'

// What a caller is told to wait when it got its turn too late.
const RETRY_AFTER_MS = 5_000
const MOST = 0.5

/** Tells an operation that a full server, or a full pool, kept waiting from one that took long by itself. One per operation. */
export class QueueTime {
  readonly #now: () => number
  readonly #startedAt: number
  #waitedMs = 0

  constructor(now = () => performance.now()) {
    this.#now = now
    this.#startedAt = now()
  }

  /** Takes note of a wait for one's turn, in ms. */
  add(waitedMs: number): void {
    this.#waitedMs += waitedMs
  }

  /**
   * What to tell of the error that ended the operation: when its time was over, and most of it had gone by in the queue,
   * then the database was too busy, and the caller is told when to come back.
   */
  explain(error: unknown): unknown {
    const queued = this.#waitedMs > MOST * (this.#now() - this.#startedAt)
    return error instanceof DeadlineExceededError && queued ? new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause: error }) : error
  }
}
