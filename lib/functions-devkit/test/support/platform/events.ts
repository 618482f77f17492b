import { admit, type PlatformEvent } from '../../../src/server/platform/event.ts'

/** A web request, with whatever a test does not care about left out. */
export interface WebRequest {
  method?: string
  path?: string
  headers?: Record<string, string>
  /** Without the question mark, or as pairs. */
  query?: string | Record<string, string>
  body?: string | Uint8Array
  /** Raw mode only: whether the platform sends the body as base64. Default: as it does for the content type. */
  isBase64Encoded?: boolean
}

/**
 * The event of a web call, `raw` or parsed (`web: true`). Throws when the platform would answer the request
 * itself, as it does malformed JSON in parsed mode.
 */
export function webEvent(request: WebRequest, web: 'raw' | true): PlatformEvent {
  const { method = 'GET', path = '', query = '', isBase64Encoded } = request
  const body = Buffer.from(request.body ?? '')
  const headers = Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  const queryString = typeof query === 'string' ? query : new URLSearchParams(query).toString()
  const admission = admit({ method, path, headers, query: queryString, body }, web === 'raw' ? 'raw' : 'parsed')
  if (admission.outcome === 'refused') throw new Error(`The platform answers ${admission.status} itself: ${admission.reason}`)
  if (web !== 'raw' || isBase64Encoded === undefined) return admission.event
  const http = admission.event.http as Record<string, unknown>
  return { ...admission.event, http: { ...http, body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded } }
}

/** The event of a scheduled trigger: its body and nothing else. */
export function scheduledEvent(body: Record<string, unknown> = {}): PlatformEvent {
  return { ...body }
}

/** The event of an authenticated call, from the command line or the API: the given JSON object, without `http`. */
export function invokedEvent(json: Record<string, unknown> = {}): PlatformEvent {
  return JSON.parse(JSON.stringify(json)) as PlatformEvent
}
