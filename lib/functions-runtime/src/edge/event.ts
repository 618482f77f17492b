/** What the platform hands to a function that is called over the web in raw mode. */
export interface HttpEvent {
  method: string
  path: string
  headers: Readonly<Record<string, string>>
  queryString?: string
  body?: string
  isBase64Encoded?: boolean
}

/** First argument of `main`: a web call has `http`; a schedule's body or a direct invocation has none. */
export type FunctionEvent = Readonly<Record<string, unknown>> & { readonly http?: HttpEvent }

/** Second argument of `main`, which only one of the platform's runtimes passes. */
export interface FunctionContext {
  readonly activationId?: string
  readonly requestId?: string
  /** Epoch ms. */
  readonly deadline?: number
  getRemainingTimeInMillis?(): number
}

/** A web call as handlers see it. */
export interface WebRequest {
  readonly method: string
  /** Always begins with a slash; never ends with one unless it is the root. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes exactly as the client sent them. */
  readonly body: Buffer
  /**
   * A reference to another path of the same function that holds wherever the function is deployed: relative to the URL
   * that was called, since the function is not told where it begins.
   */
  readonly locate: (path: string) => string
}

/** Picks the known fields out of a web event; nothing else of it is ever looked at, since a client can add keys. */
export function readWebRequest(http: HttpEvent, functionName: string): WebRequest {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(http.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value
  }
  return {
    method: String(http.method ?? 'GET').toUpperCase(),
    path: normalPath(http.path),
    params: {},
    query: new URLSearchParams(typeof http.queryString === 'string' ? http.queryString : ''),
    headers,
    locate: path => locate(String(http.path ?? ''), path, functionName),
    body: Buffer.from(typeof http.body === 'string' ? http.body : '', http.isBase64Encoded === true ? 'base64' : 'utf8'),
  }
}

/** Whether an event comes from the web rather than from a schedule or a direct invocation. */
export function isWebEvent(event: FunctionEvent): event is FunctionEvent & { readonly http: HttpEvent } {
  return typeof event?.http?.method === 'string'
}

function normalPath(path: unknown): string {
  const trimmed = typeof path === 'string' ? path.replace(/\/+$/, '') : ''
  return trimmed.startsWith('/') ? trimmed : `/${trimmed}`
}

function locate(from: string, to: string, functionName: string): string {
  const target = to.replace(/^\/+/, '')
  if (from === '') return `${functionName}/${target}`
  return `${'../'.repeat(Math.max(0, from.split('/').length - 2))}${target}`
}
