import { ApplicationError } from '../../errors.ts'

/** 503: the database cannot be reached; nothing of the operation was applied. */
export class DatabaseUnavailableError extends ApplicationError {
  override readonly name = 'DatabaseUnavailableError'
  constructor({ retryAfterMs, cause }: { retryAfterMs: number; cause?: unknown }) {
    super('The database cannot be reached at the moment.', { code: 'database-unavailable', status: 503, retryable: true, retryAfterMs, cause })
  }
}

/** The server answered COMMIT with ROLLBACK: an error inside the transaction was swallowed, and nothing was applied. */
export class TransactionRolledBackError extends ApplicationError {
  override readonly name = 'TransactionRolledBackError'
  constructor() {
    super('The transaction was rolled back.', { code: 'transaction-rolled-back', status: 500 })
  }
}
