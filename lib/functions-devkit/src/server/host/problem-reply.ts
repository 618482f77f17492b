import { ApplicationError } from '../../../../functions-runtime/src/edge/http-errors.ts'
import { isPlainId } from '../../../../functions-runtime/src/edge/plain-id.ts'
import { problem } from '../../../../functions-runtime/src/edge/reply.ts'
import type { Refused } from '../http.ts'
import type { HttpReply } from '../platform/response.ts'

// By status: the codes with which functions refuse the same.
const CODES: Readonly<Record<number, string>> = {
  400: 'request-unreadable',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'body-too-large',
  415: 'content-encoding-unsupported',
  503: 'starting',
}

/** Returns a refusal as a problem document (RFC 9457), as functions answer: the caller's own request id is repeated if it is plain. */
export function problemReply({ status, reason, requestId, headers: sent }: Refused): HttpReply {
  const id = isPlainId(sent['x-request-id']) ? sent['x-request-id'] : requestId
  const { statusCode, headers = {}, body } = problem(new ApplicationError(reason, { status, code: CODES[status] ?? 'refused' }), id)
  return { status: statusCode, headers: [...Object.entries(headers), ['x-request-id', id]], body: Buffer.from(JSON.stringify(body)) }
}
