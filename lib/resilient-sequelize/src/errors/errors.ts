import { ApplicationError } from '../../../errors.ts'

/** 503: the database cannot be reached; nothing of the operation was applied. */
export class DatabaseUnavailableError extends ApplicationError {
  override readonly name = 'DatabaseUnavailableError'
  constructor({ retryAfterMs, cause }: { retryAfterMs: number; cause?: unknown }) {
    super('The database cannot be reached at the moment.', { code: 'database-unavailable', status: 503, retryable: true, retryAfterMs, cause })
  }
}

/** 503: the database answers but could not take the operation in time: full, locked, or in conflict again and again. */
export class DatabaseBusyError extends ApplicationError {
  override readonly name = 'DatabaseBusyError'
  constructor({ retryAfterMs, cause }: { retryAfterMs: number; cause?: unknown }) {
    super('The database is too busy at the moment.', { code: 'database-busy', status: 503, retryable: true, retryAfterMs, cause })
  }
}

/** The server answered COMMIT with ROLLBACK: an error inside the transaction was swallowed, and nothing was applied. */
export class TransactionRolledBackError extends ApplicationError {
  override readonly name = 'TransactionRolledBackError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('The transaction was rolled back.', { code: 'transaction-rolled-back', status: 500, cause })
  }
}

/** The answer to COMMIT was lost and nothing proves what became of it: it may have been applied, or not. */
export class CommitUnknownError extends ApplicationError {
  override readonly name = 'CommitUnknownError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('It is not known whether this was applied.', { code: 'commit-unknown', status: 500, cause })
  }
}
