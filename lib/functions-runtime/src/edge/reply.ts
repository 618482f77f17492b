import { ApplicationError } from './http-errors.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { statusOf } from './status-of.ts'

/** What a handler answers. The platform turns an object body into JSON; a text that looks like base64 it would decode. */
export interface Reply {
  statusCode: number
  headers?: Readonly<Record<string, string>>
  /** Text for what is no JSON. */
  body?: Readonly<Record<string, unknown>> | string
}

/** A JSON answer. */
export function json(statusCode: number, body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}): Reply {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/**
 * An error as a problem document (RFC 9457). Only errors raised on purpose speak for themselves; of any other the
 * caller learns nothing but that it happened and under which request id the log has it, unless `detailOf` says more.
 */
export function problem(
  error: unknown,
  requestId: string,
  detailOf?: (error: unknown) => string | undefined,
): Reply & { body: Readonly<Record<string, unknown>> } {
  const known = error instanceof CodedError ? error : undefined
  const status = known === undefined ? 500 : statusOf(known)
  const afterMs = known?.retryAfterMs ?? Number.NaN
  const retryAfter = Number.isFinite(afterMs) ? { 'retry-after': String(Math.max(1, Math.ceil(afterMs / 1000))) } : {}
  return {
    statusCode: status,
    headers: { ...(error instanceof ApplicationError ? error.headers : {}), ...retryAfter, 'content-type': 'application/problem+json' },
    body: {
      type: 'about:blank',
      title: TITLES[status] ?? 'Error',
      status,
      detail: known?.message ?? detailOf?.(error) ?? 'Something went wrong on our side.',
      code: known?.code ?? 'internal-error',
      requestId,
      ...known?.details,
    },
  }
}
