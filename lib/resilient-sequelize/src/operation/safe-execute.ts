import { AsyncLocalStorage } from 'node:async_hooks'
import { CodedError } from '../../../invocation/src/errors.ts'
import { currentDeadline, runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import type { Counter, Logger } from '../telemetry.ts'
import { ANSWER_EARLIER_MS } from '../wire/limits.ts'
import { errorCode } from '../errors/classify-error.ts'
import { openSavepoint, type Savepoint } from '../transaction/savepoint.ts'
import { currentWork, endWork, runWork, workOn, type RunningWork } from './work.ts'

export interface SafeExecuteOptions<Fallback> {
  operationName: string
  fallbackValue: Fallback
  /** `false` logs a failure at debug, for work that fails often and matters little. */
  logWarning?: boolean
  /** Time for it, in ms; by default a fifth of what the invocation has left, at most 1000. */
  budgetMs?: number
  /** Told when the fallback is given, with the code of what went wrong. */
  onFallback?: (code: string) => unknown
}

export interface SafeExecuteTools {
  logger: Logger
  counters: Counter
  /** The pool manager on whose units of work it may be called; without one it is always on its own. */
  owner?: object | undefined
}

const BUDGET_MS = 1_000
const BUDGET_SHARE = 0.2
// The server ends a statement that takes too long by itself, so an end that is not answered soon never will be; the
// transaction around it then has time left to be tried again on another connection.
const END_MS = 1_000
const END_SHARE = 0.25
const SHORTEST_END_MS = 50
const UNBOUNDED_STATEMENT_MS = 60_000

const safe = new AsyncLocalStorage<true>()

/** Whether this call is part of work that must not cost its caller anything. */
export function isSafeExecution(): boolean {
  return safe.getStore() === true
}

/**
 * Runs work that must not fail its caller, such as a log of what happened: resolves to its result, or to
 * `fallbackValue` when it fails or takes longer than its budget. Within a transaction it runs in a savepoint, so that
 * its failure does not spoil the rest; in a transaction that is spoiled already it does nothing.
 */
export async function safeExecute<Result, Fallback>(
  work: () => Promise<Result>,
  { operationName, fallbackValue, logWarning = true, budgetMs, onFallback }: SafeExecuteOptions<Fallback>,
  { logger, counters, owner }: SafeExecuteTools,
): Promise<Result | Fallback> {
  const budget = budgetMs ?? Math.min(BUDGET_MS, (currentDeadline()?.remainingMs() ?? Number.POSITIVE_INFINITY) * BUDGET_SHARE)
  const deadline = openDeadline({ remainingMs: budget, reserveMs: 0 })
  try {
    const body = () => safe.run(true, () => runWithDeadline(deadline, work))
    const around = owner === undefined ? undefined : currentWork(owner)
    return await (around === undefined || around.mode === 'read' ? untilAborted(body(), deadline.signal) : inSavepoint(around, body, deadline))
  } catch (error) {
    const code = error instanceof CodedError ? error.code : (errorCode(error) ?? 'failed')
    counters.add('fallbacks', operationName)
    logger[logWarning ? 'warn' : 'debug']({ event: 'operation.fallback', operation: operationName, code, error })
    tell(onFallback, code)
    return fallbackValue
  } finally {
    deadline.clear()
  }
}

async function inSavepoint<Result>(around: RunningWork, body: () => Promise<Result>, deadline: Deadline): Promise<Result> {
  const { connection, host } = around
  // The connection's own status lags behind: it comes with the end of the server's answer.
  if (connection.guard?.spoiled === true) {
    throw new CodedError('The transaction around this has failed already.', { code: 'transaction-aborted' })
  }
  const outer = currentDeadline()
  const savepoint = await openSavepoint(connection, deadline)
  const callbacks: (() => unknown)[] = []
  const work = workOn(host, connection, { signal: deadline.signal, afterCommit: callback => void callbacks.push(callback) })
  const running: RunningWork = { ...around, work, parent: around, children: [], state: 'running' }
  around.children.push(running)
  const endTimes = () => {
    const statementMs = (outer?.remainingMs() ?? UNBOUNDED_STATEMENT_MS) - ANSWER_EARLIER_MS
    return { statementMs, timeoutMs: Math.max(SHORTEST_END_MS, Math.min(END_MS, statementMs * END_SHARE)) }
  }
  let result: Result
  try {
    result = await untilAborted(
      savepoint.run(() => runWork(running, body)),
      deadline.signal,
    )
    endWork(running, 'done')
  } catch (error) {
    endWork(running, 'failed')
    await takeBack(savepoint, endTimes())
    throw error
  }
  await savepoint.end('keep', endTimes())
  for (const callback of callbacks) around.work.afterCommit(callback)
  return result
}

// When even this fails the connection is gone, and the transaction around it will find that out by itself.
async function takeBack(savepoint: Savepoint, times: { timeoutMs: number; statementMs: number }): Promise<void> {
  await savepoint.end('take-back', times).catch(() => undefined)
}

// Whoever listens to a fallback must not turn it into a failure, at once or later.
function tell(onFallback: ((code: string) => unknown) | undefined, code: string): void {
  new Promise(resolve => resolve(onFallback?.(code))).catch(() => undefined)
}
