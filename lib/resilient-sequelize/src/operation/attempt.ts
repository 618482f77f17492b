import { ApplicationError } from '../../../errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import type { GuardedClient } from '../wire/client.ts'
import type { Lease } from '../pool/lease.ts'
import { ManagedTransaction } from '../transaction/managed-transaction.ts'
import { ReadStatements } from '../transaction/read-statements.ts'
import type { TransactionIdentity } from '../wire/identity.ts'
import type { LostSession } from '../transaction/end-session.ts'
import { classifyError } from '../errors/classify-error.ts'
import { CommitUnknownError } from '../errors/errors.ts'
import type { Proof } from '../transaction/proof.ts'
import { endWork, isolationOf, runWork, workOn, type IsolationLevel, type RunningWork, type Work, type WorkMode } from './work.ts'

/** How one try of an operation ended. */
export type AttemptOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly afterCommit: readonly (() => unknown)[] }
  /** Certain not to have been applied; `lost` is the session to end before the work is tried again. */
  | {
      readonly kind: 'failed'
      readonly error: unknown
      /** What first went wrong; `error` may only follow from it. */
      readonly cause: unknown
      readonly lost: LostSession | undefined
      /** The role may not read a transaction's identity; without asking for it the work can be tried again. */
      readonly identityRefused: boolean
    }
  /** The connection had died while nobody used it: the server has answered nothing. */
  | { readonly kind: 'dead'; readonly lost: LostSession | undefined }
  /** COMMIT was sent and its answer lost. */
  | {
      readonly kind: 'open'
      readonly error: unknown
      readonly result: Result
      readonly identity: TransactionIdentity | undefined
      readonly afterCommit: readonly (() => unknown)[]
    }

export interface AttemptOptions {
  mode: WorkMode
  isolation?: IsolationLevel | undefined
  deadline: Deadline
  signal: AbortSignal
  /** For a connection that has not answered lately. */
  proof?: Proof | undefined
  /** The first try of a read keeps time back for a second one. */
  first: boolean
  /** Sends what is to ride behind a COMMIT. */
  behindCommit: (client: GuardedClient) => void
  /** Hears which session of the server a transaction runs on. */
  onSession: (lease: Lease, pid: number) => void
  /** Whether transactions that write are identified, so that a lost COMMIT can be decided. */
  identified: boolean
}

// A read that meets silence gets its row on a second connection: the first statement may use this share of the time.
const FIRST_READ_SHARE = 0.4
// A wait for the server ends this long before the deadline, so that it ends with what it waited for and not with the clock.
export const ANSWER_EARLIER_MS = 50

/** Tries an operation once on a leased connection, and gives the connection back whatever happens. */
export async function attempt<Result>(lease: Lease, options: AttemptOptions, body: (work: Work) => Promise<Result>): Promise<AttemptOutcome<Result>> {
  const { deadline, signal, mode, proof } = options
  const { connection } = lease
  const callbacks: (() => unknown)[] = []
  const guard = guardFor(lease, options)
  const work = workOn(lease.generation, connection, { signal, afterCommit: callback => void callbacks.push(callback) })
  const isolation = isolationOf(mode, options.isolation)
  const running: RunningWork = { work, mode, isolation, generation: lease.generation, connection, children: [], state: 'running' }
  connection.guard = guard

  let result: Result
  try {
    const worked = runWork(running, () => body(work))
    // What the work makes of a dead connection is not waited for.
    result = await untilAborted(proof ? Promise.race([worked, proof.dead]) : worked, signal)
    endWork(running, 'done')
  } catch (error) {
    endWork(running, 'failed')
    if (proof?.isDead) return dead(error)
    return failure(error, guard, lease, signal)
  }
  if (guard instanceof ReadStatements) {
    if (guard.spoiledConnection) lease.destroy()
    else lease.release()
    return { kind: 'done', result, afterCommit: callbacks }
  }
  try {
    await guard.commit()
    lease.release()
    return { kind: 'done', result, afterCommit: callbacks }
  } catch (error) {
    endWork(running, 'failed')
    if (proof?.isDead) return dead(error)
    if (!guard.mayBeCommitted) return failure(error, guard, lease, signal)
    const identity = guard.startRefused ? undefined : guard.identity
    lease.destroy()
    // What was never given an id has written nothing: there is nothing that could have been lost.
    if (guard.wroteNothing) return { kind: 'done', result, afterCommit: callbacks }
    return { kind: 'open', error, result, identity, afterCommit: callbacks }
  }

  function dead(error: unknown): AttemptOutcome<never> {
    // A server that ended the session has said so; else it may have heard what it did not answer.
    const lost = hasSeverity(error) ? undefined : lostSession(guard, lease)
    lease.destroy()
    return { kind: 'dead', lost }
  }

  function guardFor(of: Lease, { first }: AttemptOptions): ManagedTransaction | ReadStatements {
    const share = first && mode !== 'write' ? FIRST_READ_SHARE : 1
    const statementMs = () => Math.max(1, deadline.remainingMs() * share - ANSWER_EARLIER_MS)
    const limits = of.generation.transactionLimits
    if (mode === 'read') return new ReadStatements({ deadline, statementMs, limits, proof, behindCommit: options.behindCommit })
    const level = options.isolation === undefined ? '' : `ISOLATION LEVEL ${options.isolation}`
    const characteristics = mode === 'snapshot' ? 'ISOLATION LEVEL REPEATABLE READ, READ ONLY' : level
    return new ManagedTransaction({
      client: of.connection,
      deadline,
      identified: mode === 'write' && options.identified,
      statementMs,
      proof,
      behindCommit: options.behindCommit,
      onIdentity: ({ pid }) => options.onSession(of, pid),
      limits,
      ...(characteristics === '' ? {} : { characteristics }),
    })
  }
}

function hasSeverity(error: unknown): boolean {
  return (error as { severity?: unknown } | undefined)?.severity !== undefined
}

async function failure(
  error: unknown,
  guard: ManagedTransaction | ReadStatements,
  lease: Lease,
  signal: AbortSignal,
): Promise<AttemptOutcome<never>> {
  // Errors that follow from an earlier one, such as 25P02, say less than that one does.
  const cause = signal.aborted ? error : causeOf(error, guard)
  const lost = lostSession(guard, lease)
  const spoiled = signal.aborted || spoils(cause) || spoils(error) || (guard instanceof ReadStatements && guard.spoiledConnection)
  if (guard instanceof ManagedTransaction && guard.startRefused) {
    lease.destroy()
    throw new CommitUnknownError({ cause: error })
  }
  const dropped = spoiled || (guard instanceof ManagedTransaction && !(await guard.rollBack()))
  if (dropped) lease.destroy()
  else lease.release()
  return {
    kind: 'failed',
    // sequelize wraps what is thrown under its calls, our own errors too.
    error: cause instanceof ApplicationError && !(error instanceof ApplicationError) ? cause : error,
    cause,
    lost: dropped ? lost : undefined,
    identityRefused: guard instanceof ManagedTransaction && guard.identityRefused,
  }
}

function spoils(error: unknown): boolean {
  return classifyError(error).connection === 'drop'
}

function causeOf(error: unknown, guard: ManagedTransaction | ReadStatements): unknown {
  if (guard instanceof ReadStatements && guard.sessionEnd !== undefined) return guard.sessionEnd
  const { firstError } = guard
  if (firstError === undefined) return error
  // A read's statements do not depend on each other: an error that the work has dealt with explains nothing.
  const { original, cause } = error as { original?: unknown; cause?: unknown }
  return guard instanceof ManagedTransaction || original === firstError || cause === firstError ? firstError : error
}

function lostSession(guard: ManagedTransaction | ReadStatements, { connection, generation }: Lease): LostSession | undefined {
  // Reads hold no lock that anybody waits for.
  if (guard instanceof ReadStatements) return undefined
  if (guard.identity) return guard.identity
  // A pooler announces process ids of its own.
  if (generation.transactionLimits !== undefined) return undefined
  const { processID } = connection as unknown as { processID: number | null }
  return processID === null ? undefined : { pid: processID }
}
