import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { RetryBudget } from '../../../invocation/src/retry-budget.ts'
import type { Classification } from '../errors/classify-error.ts'
import type { PoolManager } from '../pool/manager.ts'
import type { Counter, Logger } from '../telemetry.ts'
import type { LostSession } from '../transaction/end-session.ts'
import type { TransactionIdentity } from '../wire/session-identity.ts'
import type { IsolationLevel, Work, WorkMode } from './work.ts'

export interface OperationOptions {
  name: string
  mode: WorkMode
  isolation?: IsolationLevel | undefined
  deadline: Deadline
  signal: AbortSignal
  /** The deadline bounds waiting and retries alone: what was sent is waited for without a bound. */
  patient?: boolean
  /** See `AttemptOptions`; by default they are. */
  keepsParsed?: boolean
  /**
   * A statement of the application itself: what the server refuses is its answer, under whatever code, and is repeated only
   * when the server took the transaction back to let another one pass.
   */
  standAlone?: boolean
  /** Proves by a row that the work itself wrote whether it was committed, when the server cannot tell any more. */
  wasCommitted?: ((work: Work) => Promise<boolean>) | undefined
  /** Proves every connection alive, however fresh it is. */
  prove?: boolean
  /** Whether its commit waits for the disk; by default as the instance is told. */
  durable?: boolean | undefined
}

export interface OperationTools {
  manager: PoolManager
  budget: RetryBudget
  /** Errors with which operations ended that are the database's, and not of the work. */
  reported: WeakSet<object>
  logger: Logger
  counters: Counter
  random?: (() => number) | undefined
  /** Whether commits wait for the disk, whatever the role or the database has set. */
  durable: boolean
  /** Whether an error with which work ended is an answer that the work gave on purpose; those are counted as `refused`. */
  isExpected?: ((error: unknown) => boolean) | undefined
}

/** How one try of an operation ended. */
export type AttemptOutcome<Result> = Done<Result> | Failed | Dead | Open<Result>

export interface Done<Result> {
  readonly kind: 'done'
  readonly result: Result
  readonly afterCommit: readonly (() => unknown)[]
}

/** Certain not to have been applied; `lost` is the session to end before the work is tried again. */
export interface Failed {
  readonly kind: 'failed'
  readonly error: unknown
  /** What first went wrong; `error` may only follow from it. `undefined` when that was not the database. */
  readonly cause: unknown
  /** What `cause` means; `undefined` when the work must not be tried again whatever it is. */
  readonly verdict: Classification | undefined
  /** Whether `error` is the database's own; one that the work made is told as it was thrown. */
  readonly ofDatabase: boolean
  /** Whether the time was over, or the caller gave up, when the work ended. */
  readonly aborted: boolean
  readonly lost: LostSession | undefined
  /** The role may not read a transaction's identity; without asking for it the work can be tried again. */
  readonly identityRefused: boolean
}

/** The connection had died while it was idle: the server has answered nothing. */
export interface Dead {
  readonly kind: 'dead'
  readonly lost: LostSession | undefined
}

/** COMMIT was sent and its answer lost. */
export interface Open<Result> {
  readonly kind: 'open'
  readonly error: unknown
  /** `undefined` when the result itself was lost. */
  readonly result: { readonly value: Result } | undefined
  readonly identity: TransactionIdentity | undefined
  readonly afterCommit: readonly (() => unknown)[]
}
