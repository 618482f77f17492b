import { ApplicationError, DeadlineExceededError } from '../errors.ts'
import { backoffMs } from '../resilience/backoff.ts'
import { currentDeadline } from '../resilience/deadline-scope.ts'
import { openDeadline, type Deadline } from '../resilience/deadline.ts'
import { wait } from '../resilience/wait.ts'
import type { Logger } from '../telemetry/logger.ts'
import { classifyAcquireError, errorCode } from './errors/classify.ts'
import { DatabaseUnavailableError } from './errors/errors.ts'
import type { DatabaseManager, Lease } from './manager.ts'
import { runTransaction, type TransactionMode, type Work } from './transaction.ts'

export type { Work } from './transaction.ts'

export interface ExecuteOptions {
  /** `read` starts a transaction that the server keeps read-only; the default is `write`. */
  mode?: TransactionMode
  /** By default the running invocation's. */
  deadline?: Deadline
}

export interface SafeExecuteOptions<Fallback> {
  operationName: string
  fallbackValue: Fallback
  /** `false` logs a failure at debug, for work that fails often and matters little. */
  logWarning?: boolean
}

export interface DatabaseServiceOptions {
  manager: DatabaseManager
  logger: Logger
  random?: () => number
}

const REPLAYS = 10
const BACKOFF = { firstMs: 50, longestMs: 2_000 }
// For work outside of any invocation, such as a script.
const DEFAULT_DEADLINE_MS = 20_000
// What a caller is told to wait when the database is away.
const RETRY_AFTER_MS = 5_000

/** Runs work on the database: each `execute` is one transaction, retried only while nothing of it has been sent. */
export class DatabaseService {
  readonly #options: DatabaseServiceOptions

  constructor(options: DatabaseServiceOptions) {
    this.#options = options
  }

  /**
   * Runs `work` as one transaction under a name for the log and commits it.
   * @throws DatabaseUnavailableError when no connection could be made, DeadlineExceededError when time ran out,
   * TransactionRolledBackError when the server refused to commit, else what `work` threw.
   */
  async execute<Result>(operationName: string, work: (work: Work) => Promise<Result>, options: ExecuteOptions = {}): Promise<Result> {
    const given = options.deadline ?? currentDeadline()
    const deadline = given ?? openDeadline({ remainingMs: DEFAULT_DEADLINE_MS, reserveMs: 0 })
    const { manager } = this.#options
    try {
      const lease = await this.#lease(operationName, deadline)
      const result = await runTransaction(lease, { mode: options.mode ?? 'write', deadline }, work)
      manager.noteSuccess()
      return result
    } catch (error) {
      // Only what came from the server or from the way to it says something about the database.
      if (!(error instanceof ApplicationError) && (errorCode(error) !== undefined || isReadTimeout(error))) manager.noteFailure(error)
      throw isReadTimeout(error) ? new DeadlineExceededError({ cause: error }) : error
    } finally {
      if (given === undefined) deadline.clear()
    }
  }

  /**
   * Runs work that must not fail its caller: resolves to its result, or to `fallbackValue` when it throws.
   */
  async safeExecute<Result, Fallback>(
    work: () => Promise<Result>,
    { operationName, fallbackValue, logWarning = true }: SafeExecuteOptions<Fallback>,
  ): Promise<Result | Fallback> {
    try {
      return await work()
    } catch (error) {
      this.#options.logger[logWarning ? 'warn' : 'debug']({ event: 'operation.fallback', operation: operationName, error })
      return fallbackValue
    }
  }

  // Until a connection is there nothing has been sent, so trying again can do no harm.
  async #lease(operationName: string, deadline: Deadline): Promise<Lease> {
    for (let replay = 0; ; replay += 1) {
      deadline.throwIfPassed()
      try {
        return await this.#options.manager.acquire(deadline.signal)
      } catch (error) {
        const kind = error instanceof DeadlineExceededError ? 'connect-failed' : classifyAcquireError(error)
        if (kind === 'other') throw error
        this.#options.manager.noteFailure(error)
        const delayMs = backoffMs(replay, { ...BACKOFF, ...(this.#options.random ? { random: this.#options.random } : {}) })
        const unavailable = new DatabaseUnavailableError({ retryAfterMs: RETRY_AFTER_MS, cause: error })
        // A wrong password is an outage to the caller, but no second try will mend it.
        if (kind !== 'connect-failed' || replay === REPLAYS || delayMs >= deadline.remainingMs()) throw unavailable
        this.#options.logger.debug({
          event: 'database.connect.retried',
          operation: operationName,
          replay: replay + 1,
          delayMs: Math.round(delayMs),
          code: errorCode(error),
        })
        await wait(delayMs, deadline.signal).catch(() => {
          throw unavailable
        })
      }
    }
  }
}

function isReadTimeout(error: unknown): boolean {
  return error instanceof Error && /Query read timeout/.test(error.message)
}
