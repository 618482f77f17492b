import { encodingsOf } from '../../../../functions-runtime/src/content/content.ts'
import { LARGEST_PAYLOAD } from './limits.ts'
import { essenceOf, isBinary, isJson } from '../../../../functions-runtime/src/edge/media-type.ts'

/** An HTTP request as it arrived, addressed to one function. */
export interface IncomingRequest {
  readonly method: string
  /** What follows the function's name: empty, or with a leading slash, still percent-encoded. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** Lower-case names; the values of a repeated header joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type PlatformEvent = Readonly<Record<string, unknown>>

/** Either what the function is called with, or why the platform refuses the request by itself. */
export type Admission =
  { readonly outcome: 'admitted'; readonly event: PlatformEvent } | { readonly outcome: 'refused'; readonly status: number; readonly reason: string }

// Keys that the platform sets itself in OpenWhisk's older form of an event; a request may not bring them.
const RESERVED = ['method', 'headers', 'path', 'user', 'query', 'body'].map(name => `__ow_${name}`)

/** Makes the event that the platform hands to a function for a web request. */
export function admit(request: IncomingRequest, mode: 'raw' | 'parsed'): Admission {
  const admission = mode === 'raw' ? admitRaw(request) : admitParsed(request)
  if (admission.outcome === 'refused') return admission
  // The encoded form is what counts: base64 makes a body a third longer.
  const size = Buffer.byteLength(JSON.stringify(admission.event))
  return size > LARGEST_PAYLOAD ? tooLarge(size) : admission
}

/** The answer to an input of more than 1 MB. */
export function tooLarge(size: number): Admission & { outcome: 'refused' } {
  return refused(413, `Request larger than allowed: ${size} > ${LARGEST_PAYLOAD} bytes.`)
}

function admitRaw({ method, path, headers, query, body }: IncomingRequest): Admission {
  return admitted({ http: { method, path, headers, queryString: query, ...asText(headers['content-type'], body) } })
}

function admitParsed({ method, path, headers, query, body }: IncomingRequest): Admission {
  const encodings = encodingsOf(headers['content-encoding'])
  if (body.length > 0 && encodings.length > 0) return refused(415, `The content encoding ${encodings.join(', ')} is not supported.`)
  const content = readContent(headers['content-type'], body)
  if (content === 'malformed') return refused(400, 'The request content was malformed: it is not valid JSON.')
  // The body wins over the query, and the last of a repeated name over the ones before it.
  const input = { ...Object.fromEntries(new URLSearchParams(query)), ...content.fields }
  if (RESERVED.some(name => Object.hasOwn(input, name))) {
    return refused(400, 'Request defines parameters that are not allowed (e.g., reserved properties).')
  }
  // A body may hold a key `http` as well; the platform's own must be the one that is seen.
  return admitted({ ...input, ...content.whole, http: { method, path, headers } })
}

type Content = { readonly fields: Readonly<Record<string, unknown>>; readonly whole: { readonly __ow_body?: unknown } }

/** A JSON object or a form becomes fields; any other body stays in one piece. */
function readContent(contentType: string | undefined, body: Buffer): Content | 'malformed' {
  if (body.length === 0) return { fields: {}, whole: {} }
  if (contentType !== undefined && isJson(contentType)) {
    const value = parseJson(body.toString('utf8'))
    if (value === undefined) return 'malformed'
    return isFields(value) ? { fields: value, whole: {} } : { fields: {}, whole: { __ow_body: value } }
  }
  if (contentType !== undefined && essenceOf(contentType) === 'application/x-www-form-urlencoded') {
    return { fields: Object.fromEntries(new URLSearchParams(body.toString('utf8'))), whole: {} }
  }
  return { fields: {}, whole: { __ow_body: asText(contentType, body).body } }
}

/** Binary types travel as base64, and so does `application/json`, which OpenWhisk keeps up for old functions. */
function asText(contentType: string | undefined, body: Buffer): { body: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { body: '', isBase64Encoded: false }
  const encode = isBinary(contentType) || essenceOf(contentType ?? '') === 'application/json'
  return { body: body.toString(encode ? 'base64' : 'utf8'), isBase64Encoded: encode }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function admitted(event: PlatformEvent): Admission {
  return { outcome: 'admitted', event }
}

function refused(status: number, reason: string): Admission & { outcome: 'refused' } {
  return { outcome: 'refused', status, reason }
}
