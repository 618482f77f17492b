import { noteCaller, withCaller } from '../../../invocation/src/call-site.ts'
import { currentDeadline, runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { createRetryBudget, type RetryBudget } from '../../../invocation/src/retry-budget.ts'
import { NestedOperationError } from '../errors/errors.ts'
import type { PoolManager } from '../pool/manager.ts'
import { noCounter, silentLogger, type Counter, type Logger } from '../telemetry.ts'
import type { OperationTools } from './context.ts'
import { joinWork } from './joined-work.ts'
import { runOperation } from './operation.ts'
import { isSafeExecution, safeExecute, type SafeExecuteOptions } from './safe-execute.ts'
import { currentWork, hasIsolation, isolationLevels, isolationOf, type IsolationLevel, type Work, type WorkMode } from './work.ts'

export interface ExecuteOptions {
  /** `read` sends each statement in a read-only transaction of its own; the default is one transaction for all, `write`. */
  mode?: 'read' | 'write'
  /** With `mode: 'read'`: all statements see the same state of the database. */
  snapshot?: boolean
  isolation?: IsolationLevel
  /** By default the running invocation's. */
  deadline?: Deadline
  /** Lets the caller give up. Within another's work it ends this part of it alone, as an error that this part threw would. */
  signal?: AbortSignal
  /**
   * Looks for a row that the work itself wrote, such as a claim or an idempotency key: proves a commit whose answer
   * was lost when the server was restarted meanwhile.
   */
  wasCommitted?: (work: Work) => Promise<boolean>
  /**
   * Whether the commit waits for the disk: `synchronous_commit` is raised from `off` and `local` to `on`, and never lowered.
   * Default: the instance's `resilience.durable`. Within another's work it holds for the whole unit.
   */
  durable?: boolean
}

export interface ExecutorOptions {
  manager: PoolManager
  logger?: Logger | undefined
  budget?: RetryBudget | undefined
  counters?: Counter | undefined
  random?: (() => number) | undefined
  /** See `OperationTools`. */
  isExpected?: ((error: unknown) => boolean) | undefined
  /** See `ExecuteOptions`. */
  durable?: boolean | undefined
}

// For work outside of any invocation, such as a script.
const DEFAULT_DEADLINE_MS = 20_000
const LEAST_REPLAYS = 10
// What safe-executed work may replay; its caller's budget is not touched.
const SAFE_REPLAYS = { capacity: 3, floor: 1 }

/** Runs work on the database: each `execute` is one unit, applied once or not at all. */
export class Executor {
  readonly counters: Counter
  readonly #manager: PoolManager
  readonly #tools: Omit<OperationTools, 'budget'>
  readonly #budget: RetryBudget
  readonly #safeBudget: RetryBudget

  constructor({ manager, logger = silentLogger, counters = noCounter, budget, random, isExpected, durable = false }: ExecutorOptions) {
    this.counters = counters
    this.#manager = manager
    this.#tools = { manager, logger, counters, random, isExpected, durable, reported: new WeakSet() }
    // Every connection of the pool may lose its work at once, and each has one retry more.
    const capacity = Math.max(LEAST_REPLAYS, 2 * manager.getConnectionStatus().pool.max)
    this.#budget = budget ?? createRetryBudget({ capacity, now: manager.now })
    this.#safeBudget = createRetryBudget({ ...SAFE_REPLAYS, now: manager.now })
  }

  /** What operations are run with; safe-executed work has a retry budget of its own. */
  get tools(): OperationTools {
    return { ...this.#tools, budget: isSafeExecution() ? this.#safeBudget : this.#budget }
  }

  /**
   * Runs `work` as one unit under a name for the log. Called within another's work it joins that one's transaction, and
   * is never tried again by itself; what it asks for has to be what that transaction has.
   * @throws DatabaseUnavailableError when the database could not be reached; DatabaseBusyError when it could not take the
   * work in time; DeadlineExceededError; TransactionRolledBackError; CommitUnknownError; NestedOperationError for a write
   * within a read and for options that another's transaction does not have; else what `work` threw.
   */
  async execute<Result>(operationName: string, work: (work: Work) => Promise<Result>, options: ExecuteOptions = {}): Promise<Result> {
    const mode = modeOf(options)
    const caller = noteCaller()
    const around = currentWork(this.#manager)
    if (around !== undefined) return joinWork(around, work, { ...options, mode })
    const given = options.deadline ?? currentDeadline()
    const deadline = given ?? openDeadline({ remainingMs: DEFAULT_DEADLINE_MS, reserveMs: 0 })
    const signal = options.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, options.signal])
    try {
      const operation = {
        name: operationName,
        mode,
        isolation: options.isolation,
        deadline,
        signal,
        wasCommitted: options.wasCommitted,
        durable: options.durable,
      }
      return await runWithDeadline(deadline, () => runOperation(operation, this.tools, work))
    } catch (error) {
      throw withCaller(error, caller)
    } finally {
      if (given === undefined) deadline.clear()
    }
  }

  /**
   * Whether an operation ended with this error because of the database or the way to it. `false` for an error of the work
   * itself, also when it looks like one of a database.
   */
  hasReported(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#tools.reported.has(error)
  }

  /** Whether the call is part of a unit of work of this database. */
  get isInUnit(): boolean {
    return currentWork(this.#manager) !== undefined
  }

  /** Runs work that must not fail its caller: resolves to its result, or to `fallbackValue`. See `safeExecute`. */
  async safeExecute<Result, Fallback>(work: () => Promise<Result>, options: SafeExecuteOptions<Fallback>): Promise<Result | Fallback> {
    return safeExecute(work, options, { ...this.#tools, owner: this.#manager })
  }
}

function modeOf({ mode = 'write', snapshot = false, isolation = 'READ COMMITTED' }: ExecuteOptions): WorkMode {
  if (!isolationLevels.includes(isolation)) throw new NestedOperationError('This isolation level does not exist.')
  if (mode === 'write' && snapshot) throw new NestedOperationError('A snapshot is for reads; work that writes asks for an isolation level.')
  const kind = mode === 'write' ? 'write' : snapshot ? 'snapshot' : 'read'
  if (!hasIsolation(isolationOf(kind, isolation), isolation)) throw new NestedOperationError('Reads do not have this isolation level.')
  return kind
}
