import { openDeadline } from '../../../invocation/src/deadline.ts'
import { noteAttempt } from '../../../invocation/src/invocation-scope.ts'
import { MAX_REPLAYS, untilReplay } from '../../../invocation/src/retry.ts'
import { classifyError, type Classification } from '../errors/classify-error.ts'
import { DatabaseUnavailableError } from '../errors/errors.ts'
import { isRefusal } from '../errors/is-refusal.ts'
import { STALE_STATEMENT } from '../errors/table.ts'
import { describeFailure, retryMessage } from '../pool/connection-log.ts'
import { isFresh, lookMs, type Lease } from '../pool/lease.ts'
import { endSession, sendEndOfUntold, type LostSession } from '../transaction/end-session.ts'
import { Proof } from '../transaction/proof.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import { attempt } from './attempt.ts'
import { callerError } from './caller-error.ts'
import type { Done, Failed, Open, OperationOptions, OperationTools } from './context.ts'
import { leaseConnection } from './lease-connection.ts'
import { settleLostCommit, type TryWork } from './lost-commit.ts'
import { outcomeOf } from './operation-outcome.ts'
import { QueueTime } from './queue-time.ts'
import { safeExecute } from './safe-execute.ts'
import type { Work, WorkMode } from './work.ts'

/** What an operation does; `connection` is for a single statement that goes past the work's `query`. */
export type Body<Result> = (work: Work, connection: GuardedClient) => Promise<Result>

// What was sent without a bound is waited for, but whether a lost COMMIT was applied is asked no longer than this.
const PATIENT_QUESTION_MS = 10_000
// Serialization failure, deadlock, and a server that cannot write for a while.
const TAKEN_BACK = new Set(['40001', '40P01', '25006'])
const NEVER = new AbortController().signal

/**
 * Runs one operation to its end: waits for a connection, tries the work, and tries it again as long as it is certain
 * that nothing was applied. Only whole units of work are tried again, never a statement of one.
 * @throws an ApplicationError with a code for whatever the database or the way to it did; else what the work threw.
 */
export async function runOperation<Result>(options: OperationOptions, tools: OperationTools, body: Body<Result>): Promise<Result> {
  const { manager, counters } = tools
  const { name } = options
  const admission = manager.breaker.admit()
  if (!admission.admitted) {
    counters.add('operations', name, 'refused-by-breaker')
    throw new DatabaseUnavailableError({ retryAfterMs: admission.retryAfterMs })
  }
  const startedAt = performance.now()
  const account: Account = { ofDatabase: true }
  try {
    // A probe has to prove something: it does not rely on a connection that answered before the outage.
    const done = await tryUntilDone({ ...options, prove: admission.probe }, tools, body, account)
    manager.breaker.settleAnswered(admission.epoch)
    counters.add('operations', name, 'ok')
    noteSlow(name, performance.now() - startedAt, tools)
    // Only now: what they ask of the database is admitted too, although this was a probe.
    await runCallbacks(done.afterCommit, options, tools)
    return done.result
  } catch (error) {
    const { ofDatabase } = account
    if (ofDatabase && error instanceof DatabaseUnavailableError) manager.breaker.settleOutage(admission.epoch)
    else if (ofDatabase && saysTheServerAnswered(error)) manager.breaker.settleAnswered(admission.epoch)
    else manager.breaker.settleUnknown(admission.epoch)
    if (ofDatabase && typeof error === 'object' && error !== null) tools.reported.add(error)
    counters.add('operations', name, outcomeOf(error, { ofDatabase, isExpected: tools.isExpected }))
    noteSlow(name, performance.now() - startedAt, tools)
    throw error
  }
}

function noteSlow(operation: string, ms: number, { manager, counters, logger }: OperationTools): void {
  if (ms <= manager.slowOperationMs) return
  counters.add('slow-operations', operation)
  logger.warn({ event: 'database.operation.slow', operation, ms: Math.round(ms) })
}

// An error of the work itself, or of the clock, says nothing about the database.
function saysTheServerAnswered(error: unknown): boolean {
  const { key, code, connection } = classifyError(error)
  return key !== 'unknown' && code !== undefined && connection === 'keep'
}

/** Whose the error is with which an operation ended. */
interface Account {
  ofDatabase: boolean
}

/** Tries the work until it is done or must not be tried any more; past the breaker. */
async function tryUntilDone<Result>(
  options: OperationOptions,
  tools: OperationTools,
  body: Body<Result>,
  account: Account = { ofDatabase: true },
): Promise<Done<Result>> {
  const queue = new QueueTime()
  try {
    return await tryInTurn(options, tools, body, { queue, account })
  } catch (error) {
    throw account.ofDatabase ? queue.explain(error) : error
  }
}

async function tryInTurn<Result>(
  options: OperationOptions,
  tools: OperationTools,
  body: Body<Result>,
  { queue, account }: { queue: QueueTime; account: Account },
): Promise<Done<Result>> {
  const { manager, budget } = tools
  const { patient = false } = options
  let lost: LostSession | undefined
  let { keepsParsed = true } = options
  for (let replays = 0; ; replays += 1) {
    // To end a lost session something is sent before the work is.
    const unproven = lost?.pid === undefined && options.mode !== 'autocommit'
    const lease = await leaseConnection(options, tools, { queue, unproven })
    const begunAt = performance.now()
    if (lost !== undefined && !(await ended(lost, lease, options))) continue
    lost = undefined
    noteAttempt(lease.generation.number)
    const outcome = await attempt(
      lease,
      {
        ...options,
        owner: manager,
        patient,
        keepsParsed,
        signal: patient ? NEVER : options.signal,
        proof: isFresh(lease.connection, manager.now()) ? undefined : new Proof({ timeoutMs: lookMs(options.deadline) }),
        first: replays === 0,
        identified: manager.identifiesTransactions,
        durable: options.durable ?? tools.durable,
        behindCommit: manager.sendBehindCommit,
        onSession: manager.noteSession,
      },
      body,
    )
    if (outcome.kind === 'dead') {
      // Found out before anything was answered: that is no try of the work, and says nothing about the database.
      manager.noteDeadConnection()
      lost = outcome.lost
      continue
    }
    const settled = outcome.kind === 'open' ? await settle(outcome, options, tools) : outcome
    if (settled.kind === 'done') {
      manager.noteSuccess()
      budget.refill()
      return settled
    }
    // Learned once; every operation that met it is tried again without.
    if (settled.identityRefused) {
      manager.stopIdentifyingTransactions()
      continue
    }
    lost = settled.lost
    // Other connections of the pool have parsed it before the table changed, too.
    if (settled.verdict?.key === STALE_STATEMENT) keepsParsed = false
    account.ofDatabase = settled.ofDatabase
    try {
      await beforeReplay(settled, replays, options, tools)
      account.ofDatabase = true
    } finally {
      if (settled.verdict?.crowded) queue.add(performance.now() - begunAt)
    }
  }
}

/** Waits until work that failed may be tried again; throws what the caller is told when it must not. */
async function beforeReplay(failed: Failed, replays: number, options: OperationOptions, tools: OperationTools): Promise<void> {
  const { deadline, signal, mode, name } = options
  const { manager, budget, logger, counters, random } = tools
  const { verdict } = failed
  if (verdict === undefined) throw failed.error
  if (options.standAlone && isAnswer(failed.cause, verdict)) throw failed.error
  const ofConnection = concernsConnection(verdict)
  if (ofConnection) manager.noteFailure(failed.cause)
  // A pooler that had no session to lend has sent nothing on: waiting one's turn, which only the deadline bounds.
  const inTurn = verdict.crowded && verdict.replay === 'yes'
  const most = inTurn ? Number.POSITIVE_INFINITY : MAX_REPLAYS
  const maxReplays = isReplayable(verdict, mode, replays) ? Math.min(most, verdict.maxReplays ?? most) : 0
  const onReplay = (replay: { number: number; delayMs: number }) => {
    counters.add('retries', name)
    const message = ofConnection ? retryMessage(replay.number, replay.delayMs) : undefined
    logger.info({ event: 'database.operation.replayed', operation: name, ...replay, ...describeFailure(failed.cause) }, message)
  }
  const paid = inTurn ? { shorten: true } : { budget }
  const waited = await untilReplay(replays, { deadline, signal, maxReplays, ...paid, slow: verdict.slow ?? false, random, onReplay })
  if (!waited) throw callerError(failed, options)
}

// A constraint that is violated is no failure of the database.
function concernsConnection({ transient, outage, connection, key }: Classification): boolean {
  return key !== 'unknown' && (transient || outage || connection !== 'keep')
}

// Until COMMIT is sent nothing of a transaction can have been applied, so whatever may pass by itself may be tried again.
function isReplayable(verdict: Classification, mode: WorkMode, replays: number): boolean {
  const reads = mode === 'read' || mode === 'snapshot'
  if (verdict.onlyIfOptedIn) return reads && replays === 0
  if (verdict.inWritesOnly && reads) return false
  return verdict.transient && verdict.replay !== 'no'
}

// A limit that the application set for its statements is an answer, too.
function isAnswer(cause: unknown, { key }: Classification): boolean {
  return key === 'text:read-timeout' || (isRefusal(cause) && !TAKEN_BACK.has(key))
}

async function ended(lost: LostSession, lease: Lease, { deadline }: OperationOptions): Promise<boolean> {
  if (lost.pid === undefined) {
    sendEndOfUntold(lease.connection, lost)
    return true
  }
  try {
    await endSession(lease.connection, lost, deadline.remainingMs())
    return true
  } catch (error) {
    // Where the server refuses to end it, the work may have to wait for its locks; nothing worse.
    if (classifyError(error).connection === 'keep') return true
    lease.destroy()
    return false
  }
}

async function settle<Result>(outcome: Open<Result>, options: OperationOptions, tools: OperationTools): Promise<Done<Result> | Failed> {
  if (!options.patient) return settleLostCommit(outcome, { ...options, signal: options.deadline.signal }, tools, look)
  const deadline = openDeadline({ remainingMs: PATIENT_QUESTION_MS, reserveMs: 0 })
  try {
    return await settleLostCommit(outcome, { ...options, patient: false, deadline, signal: deadline.signal }, tools, look)
  } finally {
    deadline.clear()
  }
}

const look: TryWork = async (options, tools, body) => (await tryUntilDone(options, tools, body)).result

async function runCallbacks(callbacks: readonly (() => unknown)[], { name }: OperationOptions, tools: OperationTools): Promise<void> {
  for (const callback of callbacks)
    await safeExecute(async () => callback(), { operationName: `${name}.after-commit`, fallbackValue: undefined }, { ...tools, owner: tools.manager })
}
