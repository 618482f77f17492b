import { CodedError, type CodedErrorOptions } from '../../../invocation/src/errors.ts'

export interface ApplicationErrorOptions extends Omit<CodedErrorOptions, 'details'> {
  /** Of the HTTP answer. */
  status: number
  /** Further members of the problem document, such as `errors` with paths. */
  problem?: Readonly<Record<string, unknown>>
  /** Response headers that belong to this error, such as `allow`. */
  headers?: Readonly<Record<string, string>>
}

/**
 * An error with an HTTP status of its own. The caller sees `message`, `code` and `problem`; `cause` goes to the log alone.
 */
export class ApplicationError extends CodedError {
  override readonly name: string = 'ApplicationError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(message: string, { status, problem = {}, headers = {}, ...options }: ApplicationErrorOptions) {
    super(message, { ...options, details: problem })
    this.status = status
    this.headers = headers
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
