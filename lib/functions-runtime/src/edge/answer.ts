import { CodedError } from '../../../invocation/src/errors.ts'
import { essenceOf, isBase64, isBinary, isJson } from './media-type.ts'

/** Largest result of a function, in bytes of JSON: the platform refuses a larger one. */
export const LARGEST_RESULT_BYTES = 1_048_576

/** What leaves a function for a web call: plain data, which the platform turns into the same status, headers and body. */
export type WebAnswer = {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

/** What a handler returned cannot be sent as it is. The caller sees the code alone; `reason` is for the log. */
export class UnsendableError extends CodedError {
  override readonly name = 'UnsendableError'
  readonly reason: string
  constructor(reason: string, { code = 'reply-invalid', cause }: { code?: 'reply-invalid' | 'reply-too-large'; cause?: unknown } = {}) {
    super('Something went wrong on our side.', { code, cause })
    this.reason = reason
  }
}

// The registered codes from 200 on. Any other makes the platform answer 400 by itself.
const STATUSES: readonly (readonly [from: number, to: number])[] = [
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 511],
]
const WITHOUT_BODY = [204, 205, 304]
// RFC 9110: a token, and field content as Node.js and the platform take it.
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Turns what a web handler returned into what leaves the function, with the request id. The result is a copy that went
 * through JSON once: what the platform writes later is what was checked here, whatever the original does in between.
 * @throws UnsendableError when the platform would answer something else in its place, or nothing
 */
export function webAnswer(reply: unknown, requestId: string): WebAnswer {
  if (!isRecord(reply)) throw new UnsendableError(`the reply is ${kindOf(reply)}, not an object with statusCode, headers and body`)
  const { statusCode, headers: given = {}, ...rest } = reply
  const status = readStatus(statusCode)
  const headers = { ...readHeaders(given), 'x-request-id': requestId }
  const body = 'body' in rest ? readBody(rest.body, { status, contentType: contentTypeOf(headers) }) : undefined
  const answer = throughJson(body === undefined ? { statusCode: status, headers } : { statusCode: status, headers, body }) as WebAnswer
  // By a toJSON of its own, an object can still be nothing, or a text that the platform would send without its quotes.
  if (body !== undefined && (answer.body === null || typeof answer.body !== typeof body))
    throw new UnsendableError('the body is not an object in JSON')
  return answer
}

/**
 * The same for what the handler of a schedule or of a direct invocation returned.
 * @throws UnsendableError
 */
export function directAnswer(result: unknown): Record<string, unknown> {
  if (result === undefined) return {}
  if (!isRecord(result)) throw new UnsendableError(`the result is ${kindOf(result)}, not an object`)
  const answer = throughJson(result)
  if (!isRecord(answer)) throw new UnsendableError('the result is not an object in JSON')
  return answer
}

function readStatus(given: unknown): number {
  if (typeof given === 'number' && STATUSES.some(([from, to]) => given >= from && given <= to) && Number.isInteger(given)) return given
  throw new UnsendableError(`statusCode is ${typeof given === 'number' ? given : kindOf(given)}, not a registered HTTP status from 200 on`)
}

function readHeaders(given: unknown): Record<string, unknown> {
  if (!isRecord(given)) throw new UnsendableError(`headers are ${kindOf(given)}, not an object`)
  const headers = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of headers) {
    if (!HEADER_NAME.test(name)) throw new UnsendableError('a header name is not a token')
    const singles: unknown[] = Array.isArray(value) ? value : [value]
    if (!singles.every(isHeaderValue)) throw new UnsendableError(`the header ${name.toLowerCase()} has a value that cannot be sent`)
  }
  return Object.fromEntries(headers)
}

function isHeaderValue(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'boolean' || (typeof value === 'string' && HEADER_VALUE.test(value))
}

function contentTypeOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const [, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type') ?? []
  const first: unknown = Array.isArray(value) ? value[0] : value
  // A number or a boolean is a type that the platform cannot use either.
  return first === undefined ? undefined : `${first as string}`
}

/** What the platform gets as the body; undefined for none. */
function readBody(body: unknown, { status, contentType }: { status: number; contentType: string | undefined }): unknown {
  if (WITHOUT_BODY.includes(status) && (body === undefined || body === null || body === '')) return undefined
  if (body === undefined || body === null) throw new UnsendableError(`the body is ${kindOf(body)}`)
  if (typeof body === 'string') return readText(body, contentType)
  if (typeof body === 'object' ? hidesContent(body) : !(typeof body === 'boolean' || Number.isFinite(body))) {
    throw new UnsendableError(`the body is ${kindOf(body)}, which JSON cannot show`)
  }
  if (contentType !== undefined && !isJson(contentType)) throw new UnsendableError(`the body is ${kindOf(body)}, and its content type is not JSON`)
  return body
}

// The platform decodes a text that could be base64 where the content type is binary or JSON, `1234` and `true` among them.
function readText(body: string, contentType: string | undefined): unknown {
  if (contentType === undefined) return body
  if (isJson(contentType)) {
    const value = parseJson(body)
    return isBase64(body) ? value : body
  }
  if (!/^[^/\s]+\/[^/\s]+$/.test(essenceOf(contentType))) throw new UnsendableError('the content type is not a media type')
  if (body !== '' && isBinary(contentType) && !isBase64(body)) throw new UnsendableError('the content type is binary, and the body is not base64')
  return body
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new UnsendableError('the content type is JSON, and the body is a text that is not', { cause })
  }
}

/** Whether JSON shows nothing of an object, or not what a client could use. */
function hidesContent(body: object): boolean {
  if (ArrayBuffer.isView(body) || isStream(body)) return true
  if (Array.isArray(body) || 'toJSON' in body) return false
  const prototype: unknown = Object.getPrototypeOf(body)
  // A Map, a Promise, an Error: JSON shows none of what they hold.
  return prototype !== Object.prototype && prototype !== null && Object.keys(body).length === 0
}

function isStream(body: object): boolean {
  return 'pipe' in body || 'getReader' in body || Symbol.asyncIterator in body
}

function throughJson(value: unknown): unknown {
  const text = stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes <= LARGEST_RESULT_BYTES) return JSON.parse(text)
  throw new UnsendableError(`${bytes} bytes of JSON, and the platform takes ${LARGEST_RESULT_BYTES}`, { code: 'reply-too-large' })
}

function stringify(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new UnsendableError('it cannot be written as JSON', { cause })
  }
  if (text === undefined) throw new UnsendableError('it is nothing in JSON')
  return text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Names of kinds only: a value may be a secret.
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (ArrayBuffer.isView(value)) return 'binary data'
  if (typeof value !== 'object') return typeof value
  return isStream(value) ? 'a stream' : 'an object'
}
