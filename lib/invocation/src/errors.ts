export interface CodedErrorOptions {
  /** Stable; callers branch on it. */
  code: string
  retryable?: boolean
  /** How long the caller should wait before the next try, in ms. */
  retryAfterMs?: number | undefined
  /** Further facts for the caller, such as the names of what was refused. */
  details?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/**
 * Base of every error that these packages raise on purpose. The message is written for the caller as well as for the log,
 * so it never holds a value, a host, SQL or a secret.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError'
  readonly code: string
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, { code, retryable = false, retryAfterMs, details = {}, cause }: CodedErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
    this.details = details
  }

  /** The error that this one was raised for, under the name that Sequelize's errors use for it. */
  get original(): unknown {
    return this.cause
  }
}

/** The time of the invocation, or of the operation, ran out before there was a result. */
export class DeadlineExceededError extends CodedError {
  override readonly name = 'DeadlineExceededError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('The time for this request ran out.', { code: 'deadline-exceeded', retryable: true, cause })
  }
}
