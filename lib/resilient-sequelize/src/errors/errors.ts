import { CodedError } from '../../../invocation/src/errors.ts'

/** The database cannot be reached; nothing of the operation was applied. */
export class DatabaseUnavailableError extends CodedError {
  override readonly name = 'DatabaseUnavailableError'
  constructor({ retryAfterMs, cause }: { retryAfterMs: number; cause?: unknown }) {
    super('The database cannot be reached at the moment.', { code: 'database-unavailable', retryable: true, retryAfterMs, cause })
  }
}

/** The database answers but could not take the operation in time: full, locked, or in conflict again and again. */
export class DatabaseBusyError extends CodedError {
  override readonly name = 'DatabaseBusyError'
  constructor({
    retryAfterMs,
    cause,
    message = 'The database is too busy at the moment.',
  }: {
    retryAfterMs: number
    cause?: unknown
    message?: string
  }) {
    super(message, { code: 'database-busy', retryable: true, retryAfterMs, cause })
  }
}

/** The server answered COMMIT with ROLLBACK: an error inside the transaction was swallowed, and nothing was applied. */
export class TransactionRolledBackError extends CodedError {
  override readonly name = 'TransactionRolledBackError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('The transaction was rolled back.', { code: 'transaction-rolled-back', cause })
  }
}

/** The answer to COMMIT was lost and nothing proves what became of it: it may have been applied, or not. */
export class CommitUnknownError extends CodedError {
  override readonly name = 'CommitUnknownError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('It is not known whether this was applied.', { code: 'commit-unknown', cause })
  }
}

/** A mistake in the calling code: a write within a read, or a connection of one's own within a unit of work. */
export class NestedOperationError extends CodedError {
  override readonly name = 'NestedOperationError'
  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    super(message, { code: 'nested-operation', cause })
  }
}

/** The statement was applied, but its answer was lost with the connection: it must not be sent again. */
export class ResultLostError extends CodedError {
  override readonly name = 'ResultLostError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('This was applied, but its result was lost.', { code: 'result-lost', cause })
  }
}

/** The promises cannot hold on this server: it is too old, or the database has another encoding than UTF8. */
export class UnsupportedServerError extends CodedError {
  override readonly name = 'UnsupportedServerError'
  constructor(message: string) {
    super(message, { code: 'unsupported-server' })
  }
}

/** `gracefulShutdown()` was called: the pool is closed for good. */
export class ShutDownError extends CodedError {
  override readonly name = 'ShutDownError'
  constructor() {
    super('The database was shut down by this process.', { code: 'shut-down' })
  }
}
