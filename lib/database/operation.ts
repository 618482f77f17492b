import { DeadlineExceededError } from '../errors.ts'
import { backoffMs } from '../resilience/backoff.ts'
import type { Deadline } from '../resilience/deadline.ts'
import type { RetryBudget } from '../resilience/retry-budget.ts'
import { wait } from '../resilience/wait.ts'
import type { Counters } from '../telemetry/counters.ts'
import type { Logger } from '../telemetry/logger.ts'
import { attempt, type AttemptOutcome, type IsolationLevel } from './attempt.ts'
import { classifyError, type Classification } from './errors/classify-error.ts'
import { CommitUnknownError, DatabaseBusyError, DatabaseUnavailableError } from './errors/errors.ts'
import { isAlive, isFresh, type Lease } from './lease.ts'
import type { DatabaseManager } from './manager.ts'
import type { Models } from './models/index.ts'
import { safeExecute } from './safe-execute.ts'
import { resolveCommit } from './transaction/commit-outcome.ts'
import { endSession, type LostSession } from './transaction/end-session.ts'
import { NestedOperationError, type Work, type WorkMode } from './work.ts'

export interface OperationOptions {
  name: string
  mode: WorkMode
  isolation?: IsolationLevel | undefined
  deadline: Deadline
  signal: AbortSignal
  /** Proves by a row that the work itself wrote whether it was committed, when the server cannot tell any more. */
  wasCommitted?: ((models: Models) => Promise<boolean>) | undefined
  /** Has every connection proven alive, however fresh it is. */
  prove?: boolean
}

export interface OperationTools {
  manager: DatabaseManager
  budget: RetryBudget
  logger: Logger
  counters: Counters
  random?: (() => number) | undefined
}

const MAX_REPLAYS = 10
const BACKOFF = { firstMs: 50, longestMs: 2_000 }
// What a caller is told to wait when the database is away.
const RETRY_AFTER_MS = 5_000
const LOOK_AGAIN_MS = 100
const UNBOUNDED: RetryBudget = { take: () => true, refill: () => undefined, tokens: Number.POSITIVE_INFINITY }

/**
 * Runs one operation to its end: waits for a connection, tries the work, and tries it again as long as it is certain
 * that nothing was applied. Only whole units of work are tried again, never a statement of one.
 * @throws an ApplicationError with a code for whatever the database or the way to it did; else what the work threw.
 */
export async function runOperation<Result>(options: OperationOptions, tools: OperationTools, body: (work: Work) => Promise<Result>): Promise<Result> {
  const { manager } = tools
  const admission = manager.breaker.admit()
  if (!admission.admitted) throw new DatabaseUnavailableError({ retryAfterMs: admission.retryAfterMs })
  try {
    // A probe has to prove something: it does not rely on a connection that answered before the outage.
    const result = await tryUntilDone({ ...options, prove: admission.probe }, tools, body)
    manager.breaker.settleAnswered(admission.epoch)
    return result
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) manager.breaker.settleOutage(admission.epoch)
    else if (saysTheServerAnswered(error)) manager.breaker.settleAnswered(admission.epoch)
    else manager.breaker.settleUnknown(admission.epoch)
    throw error
  }
}

// An error of the work itself, or of the clock, says nothing about the database.
function saysTheServerAnswered(error: unknown): boolean {
  const { key, code, connection } = classifyError(error)
  return key !== 'unknown' && code !== undefined && connection === 'keep'
}

async function tryUntilDone<Result>(options: OperationOptions, tools: OperationTools, body: (work: Work) => Promise<Result>): Promise<Result> {
  const { manager, budget } = tools
  let lost: LostSession | undefined
  for (let replays = 0; ; replays += 1) {
    const lease = await leaseConnection(options, tools)
    if (lost !== undefined && !(await ended(lost, lease, options))) continue
    lost = undefined
    const outcome = await attempt(lease, { ...options, first: replays === 0, identified: manager.identifiesTransactions }, body)
    const settled = outcome.kind === 'open' ? await settle(outcome, options, tools) : outcome
    if (settled.kind === 'done') {
      manager.noteSuccess()
      budget.refill()
      await afterCommit(settled.afterCommit, options, tools)
      return settled.result
    }
    if (settled.identityRefused && manager.identifiesTransactions) {
      manager.stopIdentifyingTransactions()
      continue
    }
    lost = settled.lost
    await beforeReplay(settled, replays, options, tools)
  }
}

/** Decides whether work that failed is tried again, and waits until it is time; throws what the caller is told otherwise. */
async function beforeReplay(
  { error, cause }: { error: unknown; cause: unknown },
  replays: number,
  options: OperationOptions,
  { manager, budget, logger, random }: OperationTools,
): Promise<void> {
  const { deadline, signal, mode, name } = options
  const verdict = classifyError(cause)
  if (concernsConnection(verdict)) manager.noteFailure(cause)
  const delayMs = backoffMs(replays, { ...BACKOFF, ...(random ? { random } : {}) })
  const allowed =
    isReplayable(verdict, mode, replays) && !signal.aborted && delayMs < deadline.remainingMs() && replays < (verdict.maxReplays ?? MAX_REPLAYS)
  if (!allowed || !budget.take()) throw toCaller(error, cause, verdict, options)
  logger.info({
    event: 'database.operation.replayed',
    operation: name,
    replay: replays + 1,
    delayMs: Math.round(delayMs),
    code: verdict.code ?? verdict.key,
  })
  await wait(delayMs, signal).catch(() => {
    throw toCaller(error, cause, verdict, options)
  })
}

// A constraint that is violated is no failure of the database.
function concernsConnection({ transient, outage, connection, key }: Classification): boolean {
  return key !== 'unknown' && (transient || outage || connection !== 'keep')
}

// Until COMMIT is sent nothing of a transaction can have been applied, so whatever may pass by itself may be tried again.
function isReplayable(verdict: Classification, mode: WorkMode, replays: number): boolean {
  if (verdict.onlyIfOptedIn) return mode !== 'write' && replays === 0
  if (verdict.inWritesOnly && mode !== 'write') return false
  return verdict.transient && verdict.replay !== 'no'
}

/** What a caller is told of an error that ended an operation. */
function toCaller(error: unknown, cause: unknown, verdict: Classification, { deadline, signal, mode }: OperationOptions): unknown {
  if (signal.aborted) return deadline.signal.aborted ? new DeadlineExceededError({ cause }) : (signal.reason as unknown)
  if (verdict.inWritesOnly && mode !== 'write') return new NestedOperationError('A write was asked for within a read.', { cause })
  if (verdict.outage) return new DatabaseUnavailableError({ retryAfterMs: RETRY_AFTER_MS, cause })
  if (verdict.onlyIfOptedIn) return new DeadlineExceededError({ cause })
  if (verdict.transient) return new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause })
  return error
}

/**
 * A connection that may be used. Until there is one nothing has been sent, so only the deadline bounds the waiting; a
 * full server is a queue in which every container waits its turn.
 */
async function leaseConnection(
  { deadline, signal, name, prove = false }: OperationOptions,
  { manager, logger, random }: OperationTools,
): Promise<Lease> {
  for (let tries = 0; ; tries += 1) {
    try {
      deadline.throwIfPassed()
      const lease = await manager.acquire(signal)
      if ((!prove && isFresh(lease.connection, manager.now())) || (await isAlive(lease.connection, deadline))) return lease
      lease.destroy()
      manager.noteDeadConnection()
    } catch (error) {
      if (error instanceof DatabaseBusyError) throw error
      const verdict = classifyError(error)
      const outOfTime = error instanceof DeadlineExceededError
      if (verdict.key === 'unknown' && !outOfTime) throw error
      if (!outOfTime) manager.noteFailure(error)
      const delayMs = backoffMs(tries, { ...BACKOFF, ...(random ? { random } : {}) })
      const given = () =>
        verdict.crowded
          ? new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause: error })
          : new DatabaseUnavailableError({ retryAfterMs: RETRY_AFTER_MS, cause: error })
      // A wrong password is an outage to the caller, but no second try will mend it.
      if (!verdict.transient || tries >= (verdict.maxReplays ?? Number.POSITIVE_INFINITY) || delayMs >= deadline.remainingMs()) throw given()
      logger.debug({
        event: 'database.connect.retried',
        operation: name,
        try: tries + 1,
        delayMs: Math.round(delayMs),
        code: verdict.code ?? verdict.key,
      })
      await wait(delayMs, signal).catch(() => {
        throw given()
      })
    }
  }
}

async function ended(lost: LostSession, lease: Lease, { deadline }: OperationOptions): Promise<boolean> {
  try {
    await endSession(lease.connection, lost, Math.max(1, deadline.remainingMs()))
    return true
  } catch {
    lease.destroy()
    return false
  }
}

type Settled<Result> = Exclude<AttemptOutcome<Result>, { kind: 'open' }>

/** COMMIT's answer was lost: finds out what became of it instead of guessing. */
async function settle<Result>(
  outcome: Extract<AttemptOutcome<Result>, { kind: 'open' }>,
  options: OperationOptions,
  tools: OperationTools,
): Promise<Settled<Result>> {
  const { error, identity, result, afterCommit: callbacks } = outcome
  const lease = () => leaseConnection(options, tools)
  const asked = identity === undefined ? 'unknown' : await resolveCommit({ identity, deadline: options.deadline, lease })
  const proven = asked === 'committed' || asked === 'rolled-back' ? asked : await provenByRow(options, tools, asked)
  tools.logger.warn({ event: 'database.commit.resolved', operation: options.name, outcome: proven, code: classifyError(error).code })
  switch (proven) {
    case 'committed':
      return { kind: 'done', result, afterCommit: callbacks }
    case 'rolled-back':
      return { kind: 'failed', error, cause: error, lost: undefined, identityRefused: false }
    case 'unknown':
      throw new CommitUnknownError({ cause: error })
    default:
      return proven satisfies never
  }
}

async function provenByRow(
  { deadline, signal, wasCommitted, name }: OperationOptions,
  tools: OperationTools,
  asked: 'ended' | 'unknown',
): Promise<'committed' | 'rolled-back' | 'unknown'> {
  if (wasCommitted === undefined) return 'unknown'
  const look = { name: `${name}.was-committed`, mode: 'read', deadline, signal } as const
  let found: boolean | undefined
  while (found === undefined && deadline.remainingMs() > 0 && !signal.aborted) {
    // Finding out is no replay of the work: the budget for those does not bound it, the deadline does.
    found = await tryUntilDone(look, { ...tools, budget: UNBOUNDED }, work => wasCommitted(work.models)).catch(() => undefined)
    if (found === undefined) await wait(LOOK_AGAIN_MS, signal).catch(() => undefined)
  }
  if (found) return 'committed'
  // A row that is not there proves the contrary only once its transaction cannot commit any more.
  return found === false && asked === 'ended' ? 'rolled-back' : 'unknown'
}

async function afterCommit(callbacks: readonly (() => unknown)[], { name }: OperationOptions, tools: OperationTools): Promise<void> {
  for (const callback of callbacks)
    await safeExecute(async () => callback(), { operationName: `${name}.after-commit`, fallbackValue: undefined }, tools)
}
