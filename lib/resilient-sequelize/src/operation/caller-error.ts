import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { classifyError, type Classification } from '../errors/classify-error.ts'
import type { Failed } from './context.ts'
import { DatabaseBusyError, DatabaseUnavailableError } from '../errors/errors.ts'
import { NestedOperationError } from '../errors/errors.ts'
import { type WorkMode } from './work.ts'

// What a caller is told to wait when the database is away or cannot keep up.
const RETRY_AFTER_MS = 5_000
const NO_WRITES = 'The database takes no writes at the moment: it is a standby, or set to read only.'

/** What the caller of an operation is told of the error that ended it; `cause` is what first went wrong. */
export function callerError(
  { error, cause, verdict, ofDatabase, aborted }: Pick<Failed, 'error' | 'cause' | 'verdict' | 'ofDatabase' | 'aborted'>,
  { deadline, signal, mode, patient = false }: { deadline: Deadline; signal: AbortSignal; mode: WorkMode; patient?: boolean },
): unknown {
  if (verdict === undefined || !ofDatabase) return error
  // The time may also be over while the work waits to be tried again.
  if (aborted || (signal.aborted && verdict.transient))
    return deadline.signal.aborted ? new DeadlineExceededError({ cause }) : (signal.reason as unknown)
  if (verdict.inWritesOnly && (mode === 'read' || mode === 'snapshot'))
    return new NestedOperationError('A write was asked for within a read.', { cause })
  // What first went wrong may say nothing, and the work be told only of a connection that ended then; a queue's words do.
  if (verdict.outage || (!verdict.crowded && classifyError(error).outage))
    return new DatabaseUnavailableError({ retryAfterMs: RETRY_AFTER_MS, cause })
  // Without a deadline of ours the limit was the caller's own, or the administrator's.
  if (verdict.onlyIfOptedIn && patient) return error
  if (verdict.onlyIfOptedIn) return new DeadlineExceededError({ cause })
  if (verdict.inWritesOnly) return new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause, message: NO_WRITES })
  if (verdict.transient) return new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause })
  return error
}

/** What a caller is told when there was no connection for it: nothing was sent. */
export function noConnectionError(cause: unknown, { crowded }: Pick<Classification, 'crowded'>): DatabaseBusyError | DatabaseUnavailableError {
  return crowded
    ? new DatabaseBusyError({ retryAfterMs: RETRY_AFTER_MS, cause })
    : new DatabaseUnavailableError({ retryAfterMs: RETRY_AFTER_MS, cause })
}
