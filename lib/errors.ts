/** What an error needs besides its message; `detail` and `problems` are shown to the caller, `message` and `cause` never. */
export interface ApplicationErrorOptions {
  code: string
  status: number
  retryable?: boolean
  /** How long the caller should wait before it tries again; becomes `Retry-After`. */
  retryAfterMs?: number
  /** Further members of the problem document, such as `errors` with paths. */
  problem?: Readonly<Record<string, unknown>>
  /** Response headers that belong to this error, such as `allow`. */
  headers?: Readonly<Record<string, string>>
  cause?: unknown
}

/**
 * Base of every error that this project raises on purpose. Callers branch on `code`. The message is written for
 * the caller as well as for the log, so it never holds a value, a host, SQL or a secret.
 */
export class ApplicationError extends Error {
  override readonly name: string = 'ApplicationError'
  readonly code: string
  readonly status: number
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly problem: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(message: string, options: ApplicationErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.status = options.status
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.problem = options.problem ?? {}
    this.headers = options.headers ?? {}
  }
}

/** One thing that is wrong with a request's content, and where. */
export interface ContentIssue {
  path: string
  message: string
}

/** 400: the request cannot be read at all. */
export class BadRequestError extends ApplicationError {
  override readonly name = 'BadRequestError'
  constructor(code: string, message: string) {
    super(message, { code, status: 400 })
  }
}

/** 401: the caller did not prove who it is. */
export class UnauthorizedError extends ApplicationError {
  override readonly name = 'UnauthorizedError'
  constructor(code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message, { code, status: 401, headers })
  }
}

/** 403: the caller is known, and may not do this. */
export class ForbiddenError extends ApplicationError {
  override readonly name = 'ForbiddenError'
  constructor(scope: string) {
    super(`This API key does not have the scope ${scope}.`, {
      code: 'scope-missing',
      status: 403,
      problem: { scope },
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
    })
  }
}

/** 404: no such thing here. */
export class NotFoundError extends ApplicationError {
  override readonly name = 'NotFoundError'
  constructor(message: string, code = 'not-found') {
    super(message, { code, status: 404 })
  }
}

/** 409: the request contradicts what is stored. */
export class ConflictError extends ApplicationError {
  override readonly name = 'ConflictError'
  constructor(code: string, message: string) {
    super(message, { code, status: 409 })
  }
}

/** 422: readable, but not what the schema asks for; each issue carries its path, never the value. */
export class ContentError extends ApplicationError {
  override readonly name = 'ContentError'
  readonly issues: readonly ContentIssue[]
  constructor(issues: readonly ContentIssue[]) {
    super('The content does not have the expected form.', { code: 'content-invalid', status: 422, problem: { errors: issues } })
    this.issues = issues
  }
}

/** 504: the invocation's time ran out before there was an answer. */
export class DeadlineExceededError extends ApplicationError {
  override readonly name = 'DeadlineExceededError'
  constructor(options: { cause?: unknown } = {}) {
    super('The time for this request ran out.', { code: 'deadline-exceeded', status: 504, retryable: true, ...options })
  }
}
