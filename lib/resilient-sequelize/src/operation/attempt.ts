import type { Deadline } from '../../../invocation/src/deadline.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { classifyError } from '../errors/classify-error.ts'
import { errorChain } from '../errors/error-chain.ts'
import { CommitUnknownError } from '../errors/errors.ts'
import { isFromServer } from '../errors/is-refusal.ts'
import type { Lease } from '../pool/lease.ts'
import { AutocommitStatement } from '../transaction/autocommit-statement.ts'
import type { LostSession } from '../transaction/end-session.ts'
import { ManagedTransaction } from '../transaction/managed-transaction.ts'
import type { Proof } from '../transaction/proof.ts'
import { ReadStatements } from '../transaction/read-statements.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import { ANSWER_EARLIER_MS } from '../wire/limits.ts'
import { processIdOf } from '../wire/pg-internals.ts'
import type { AttemptOutcome } from './context.ts'
import { endWork, isolationOf, runWork, workOn, type IsolationLevel, type RunningWork, type Work, type WorkMode } from './work.ts'

export interface AttemptOptions {
  owner: object
  mode: WorkMode
  isolation?: IsolationLevel | undefined
  deadline: Deadline
  signal: AbortSignal
  /** What is sent is waited for without a bound. */
  patient: boolean
  /** Whether statements that come again are kept parsed on the server; see `StatementGuard`. */
  keepsParsed: boolean
  /** For a connection that has not answered lately. */
  proof?: Proof | undefined
  /** The first try of a read keeps time back for a second one. */
  first: boolean
  /** Sends what is to ride behind a COMMIT. */
  behindCommit: (client: GuardedClient) => void
  /** Receives the session of the server on which a transaction runs. */
  onSession: (lease: Lease, pid: number) => void
  /** Whether transactions that write are identified, so that a lost COMMIT can be decided. */
  identified: boolean
  /** Whether commits wait for the disk. */
  durable: boolean
}

type Guard = ManagedTransaction | ReadStatements | AutocommitStatement

const ABORTED = '25P02'
// A read that meets silence gets its row on a second connection: the first statement may use this share of the time.
const FIRST_READ_SHARE = 0.4

/** Tries an operation once on a leased connection, and gives the connection back whatever happens. */
export async function attempt<Result>(
  lease: Lease,
  options: AttemptOptions,
  body: (work: Work, connection: GuardedClient) => Promise<Result>,
): Promise<AttemptOutcome<Result>> {
  const { deadline, signal, mode, proof, patient } = options
  const { connection } = lease
  const callbacks: (() => unknown)[] = []
  const guard = guardFor(lease, options)
  lease.generation.types.prefetch(connection)
  const { host } = lease.generation
  const work = workOn(host, connection, { signal, afterCommit: callback => void callbacks.push(callback) })
  const isolation = isolationOf(mode, options.isolation)
  const running: RunningWork = {
    work,
    mode,
    isolation,
    owner: options.owner,
    host,
    connection,
    commit: { durable: options.durable },
    children: [],
    state: 'running',
  }
  connection.guard = guard

  let result: Result
  try {
    const worked = runWork(running, () => body(work, connection))
    // What the work makes of a dead connection is not waited for.
    result = await untilAborted(proof ? Promise.race([worked, proof.dead]) : worked, signal)
    endWork(running, 'done')
    guard.record.throwIfEnded()
  } catch (error) {
    // What comes after this, such as a slow rollback, does not change why the work ended.
    const { aborted } = signal
    endWork(running, 'failed')
    if (proof?.isDead) return dead(error)
    if (guard instanceof AutocommitStatement && guard.mayBeCommitted) {
      lease.destroy()
      const result = guard.completed === undefined ? undefined : { value: guard.completed as Result }
      return { kind: 'open', error, result, identity: guard.identity, afterCommit: callbacks }
    }
    return failure(error, guard, lease, aborted)
  }
  if (!(guard instanceof ManagedTransaction)) {
    connection.openByHand = guard instanceof AutocommitStatement && connection.getTransactionStatus() !== 'I'
    if (guard.spoiledConnection || isBusy(guard, connection)) lease.destroy()
    else lease.release()
    return { kind: 'done', result, afterCommit: callbacks }
  }
  try {
    await guard.commit({ durable: mode === 'write' && running.commit.durable })
    lease.release()
    return { kind: 'done', result, afterCommit: callbacks }
  } catch (error) {
    const { aborted } = signal
    guard.record.add(error)
    endWork(running, 'failed')
    if (proof?.isDead) return dead(error)
    if (!guard.mayBeCommitted || guard.record.ended !== undefined) return failure(formatted(error), guard, lease, aborted)
    const identity = guard.startRefused ? undefined : guard.identity
    lease.destroy()
    // There is nothing that could have been lost.
    if (guard.wroteNothing) return { kind: 'done', result, afterCommit: callbacks }
    return { kind: 'open', error, result: { value: result }, identity, afterCommit: callbacks }
  }

  // As the same error of a statement.
  function formatted(error: unknown): unknown {
    return hasSeverity(error) ? host.format(connection, error) : error
  }

  function dead(error: unknown): AttemptOutcome<never> {
    // A server that reported the end of the session has ended it; otherwise it may still run what it did not answer.
    const lost = isFromServer(error) ? undefined : lostSession(guard, lease)
    lease.destroy()
    return { kind: 'dead', lost }
  }

  function guardFor(of: Lease, { first, identified, durable, behindCommit, keepsParsed }: AttemptOptions): Guard {
    const share = first && (mode === 'read' || mode === 'snapshot') ? FIRST_READ_SHARE : 1
    const statementMs = () => (patient ? Number.POSITIVE_INFINITY : Math.max(1, deadline.remainingMs() * share - ANSWER_EARLIER_MS))
    const limits = of.generation.transactionLimits
    if (mode === 'read' && !of.connection.openByHand) return new ReadStatements({ keepsParsed, deadline, statementMs, limits, proof, behindCommit })
    if (mode === 'autocommit' || mode === 'read')
      return new AutocommitStatement({ deadline, statementMs, limits, identified, durable: mode === 'autocommit' && durable, behindCommit })
    const level = options.isolation === undefined ? '' : `ISOLATION LEVEL ${options.isolation}`
    const characteristics = mode === 'snapshot' ? 'ISOLATION LEVEL REPEATABLE READ, READ ONLY' : level
    return new ManagedTransaction({
      client: of.connection,
      keepsParsed,
      deadline,
      identified: mode === 'write' && identified,
      readOnly: mode === 'snapshot',
      statementMs,
      proof,
      behindCommit,
      onIdentity: ({ pid }) => options.onSession(of, pid),
      limits,
      ...(characteristics === '' ? {} : { characteristics }),
    })
  }
}

function hasSeverity(error: unknown): boolean {
  return (error as { severity?: unknown } | undefined)?.severity !== undefined
}

async function failure(error: unknown, guard: Guard, lease: Lease, aborted: boolean): Promise<AttemptOutcome<never>> {
  const { record } = guard
  record.settle()
  const ofDatabase = aborted || record.has(error)
  const cause = aborted ? error : ofDatabase ? causeOf(error, guard) : (causeWithin(error, guard) ?? doomOf(guard))
  const lost = lostSession(guard, lease, classifyError(cause).key === 'text:read-timeout')
  const spoiled =
    aborted ||
    (cause !== undefined && spoils(cause)) ||
    (ofDatabase && spoils(error)) ||
    hasSpoiledConnection(guard) ||
    isBusy(guard, lease.connection)
  if (guard instanceof ManagedTransaction && guard.startRefused) {
    lease.destroy()
    throw new CommitUnknownError({ cause: error })
  }
  const dropped = spoiled || (guard instanceof ManagedTransaction && !(await guard.rollBack()))
  if (dropped) lease.destroy()
  else lease.release()
  return {
    kind: 'failed',
    error: record.endedWith(error) ?? (ofDatabase ? (codedOf(error) ?? reasonOf(error, cause, guard, lease)) : error),
    cause,
    verdict: cause === undefined || record.ended !== undefined ? undefined : record.judge(cause),
    ofDatabase: ofDatabase && record.ended === undefined,
    aborted,
    lost: dropped ? lost : undefined,
    identityRefused: !(guard instanceof ReadStatements) && guard.identityRefused,
  }
}

function spoils(error: unknown): boolean {
  return classifyError(error).connection === 'drop'
}

// An open portal, or a transaction that the work did not wait for, would be part of the next operation.
function isBusy(guard: Guard, { pipeline }: GuardedClient): boolean {
  return !pipeline || (guard instanceof ReadStatements && guard.isOpen)
}

function hasSpoiledConnection(guard: Guard): boolean {
  return !(guard instanceof ManagedTransaction) && guard.spoiledConnection
}

// Errors that follow from an earlier one, such as 25P02, say less than that one does.
function causeOf(error: unknown, guard: Guard): unknown {
  if (guard instanceof ManagedTransaction) return guard.firstError ?? error
  if (guard instanceof ReadStatements && guard.sessionEnd !== undefined) return guard.sessionEnd
  // Statements of a read do not depend on each other: an error that the work has dealt with explains nothing.
  return causeWithin(error, guard) ?? error
}

// A statement that the unit itself sent has failed: the work's error only says that the transaction is aborted.
function reasonOf(error: unknown, cause: unknown, { record }: Guard, { connection, generation }: Lease): unknown {
  const isConsequence = cause !== error && record.isOwn(cause) && classifyError(error).code === ABORTED
  return isConsequence ? generation.host.format(connection, cause) : error
}

function doomOf(guard: Guard): unknown {
  return guard instanceof AutocommitStatement ? undefined : guard.doom
}

// The work has put words of its own around the error that made its unit fail. One that a savepoint took back has no say.
function causeWithin(error: unknown, { firstError }: Guard): unknown {
  return firstError !== undefined && errorChain(error).includes(firstError as object) ? firstError : undefined
}

// sequelize wraps what is thrown under its calls, our own errors too.
function codedOf(error: unknown): unknown {
  return error instanceof CodedError ? undefined : errorChain(error).find(part => part instanceof CodedError)
}

function lostSession(guard: Guard, { connection, generation }: Lease, silent = false): LostSession | undefined {
  // Reads hold no lock for which others wait. But a session that got half of a flight waits for the rest: no time limit of
  // the server ends that.
  if (guard instanceof ReadStatements && !silent) return undefined
  if (!(guard instanceof ReadStatements) && guard.identity) return guard.identity
  // A pooler announces process ids of its own.
  if (generation.transactionLimits !== undefined) return silent && !(guard instanceof ManagedTransaction) ? { waitedMs: guard.waitMs } : undefined
  const pid = processIdOf(connection)
  return pid === null ? undefined : { pid }
}
