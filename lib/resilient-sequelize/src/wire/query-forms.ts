import type { QueryCallback, Statement } from './pg-internals.ts'

/** A query object of pg or of an add-on, such as pg-cursor: it sends itself and receives the server's answers. */
export interface Submittable {
  readonly text?: unknown
  submit(connection: unknown): unknown
  handleError(error: unknown, connection: unknown): unknown
}

/**
 * Returns the statement of a call of `query`: a text, with values or without, or an object with both; `undefined` for a
 * query object that sends itself.
 */
export function statementOf([first, second]: readonly unknown[]): Statement | undefined {
  const values = Array.isArray(second) ? (second as unknown[]) : undefined
  if (typeof first === 'string') return { text: first, values }
  if (typeof first !== 'object' || first === null || 'submit' in first || !('text' in first)) return undefined
  return values === undefined ? (first as Statement) : { ...(first as Statement), values }
}

export function isCallback(argument: unknown): argument is QueryCallback {
  return typeof argument === 'function'
}

export function isSubmittable(argument: unknown): argument is Submittable {
  return typeof argument === 'object' && argument !== null && typeof (argument as Partial<Submittable>).submit === 'function'
}

/** The text of a call of `query`, as far as the call tells. */
export function textOf(given: readonly unknown[]): string | undefined {
  const [first] = given
  const text = statementOf(given)?.text ?? (isSubmittable(first) ? first.text : undefined)
  return typeof text === 'string' ? text : undefined
}

/** Whether the query keeps a portal open across round trips: pg refuses that while it pipelines. */
export function keepsPortal([first]: readonly unknown[], Query: abstract new (...given: never[]) => unknown): boolean {
  if (isSubmittable(first)) return !(first instanceof Query)
  return typeof first === 'object' && first !== null && Boolean((first as { rows?: unknown }).rows)
}

/** Calls `failed` with each error that a query object receives. */
export function watchErrors(query: unknown, failed: (error: unknown) => void): void {
  if (!isSubmittable(query)) return
  const handleError = query.handleError.bind(query)
  query.handleError = (error, connection) => {
    failed(error)
    return handleError(error, connection)
  }
}
