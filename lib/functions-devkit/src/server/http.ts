import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { type HttpLimits } from '../settings/host.ts'
import { admit, tooLarge } from './platform/event.ts'
import { endForWeb } from './platform/invoke.ts'
import { LARGEST_PAYLOAD, LONGEST_WEB_WAIT_MS } from './platform/limits.ts'
import { platformError, toHttpReply, type CallEnd, type HttpReply } from './platform/response.ts'
import { fireByRequest, SCHEDULE_ROUTE } from './schedule-route.ts'
import { type Schedules } from './schedules.ts'
import { type CallableFunction } from './served-function.ts'

/** A request that no function gets. */
export interface Refused {
  readonly status: number
  readonly reason: string
  readonly requestId: string
  /** Of the request. */
  readonly headers: IncomingHttpHeaders
}

export interface HttpOptions {
  /** Undefined while the functions are not there yet. */
  readonly functions: () => { byName(name: string): CallableFunction | undefined } | undefined
  /** Undefined while they are not there yet. */
  readonly schedules?: () => Pick<Schedules, 'all' | 'fire'> | undefined
  readonly report: (message: string, error?: unknown) => void
  readonly limits?: HttpLimits
  /** Makes the answer to what the server refuses by itself. Default: in the platform's form. */
  readonly refusal?: (refused: Refused) => HttpReply
  /** Asked for each answer: whether the server is about to end, so that its clients go elsewhere. */
  readonly isEnding?: () => boolean
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

// A client that dawdles would otherwise hold its connection for as long as it likes.
const LOCAL_LIMITS: HttpLimits = { headersMs: 10_000, requestMs: 30_000, keepAliveMs: 5_000, maxConnections: 1_000, maxHeaderBytes: 16_384 }
// How often to look who dawdles: late by at most this, or by half of the shortest limit.
const LOOK_FOR_SLOW_MS = 5_000

const LOOK_AGAIN_MS = 50

// Who is about to end takes no more requests, whatever its database says: answered here, at once. Functions pass over a / at the end.
const READINESS = /^\/health\/ready\/?$/
const ENDING: HttpReply = {
  status: 503,
  headers: [
    ['content-type', 'application/health+json'],
    ['cache-control', 'no-store'],
  ],
  body: Buffer.from(JSON.stringify({ status: 'fail' })),
}

/** Serves the functions over HTTP, in place of the platform's gateway. */
export function createHttpServer({
  functions,
  schedules = () => undefined,
  report,
  limits = LOCAL_LIMITS,
  refusal = ({ status, reason, requestId }) => platformError(status, reason, requestId),
  isEnding = () => false,
}: HttpOptions): Server {
  const server = createServer(timesOf(limits), (request, response) => {
    answer(request).then(
      reply => {
        if (isEnding()) response.setHeader('connection', 'close')
        send(request, response, reply)
      },
      (error: unknown) => {
        // A client that went away in the middle of its request is no news.
        if (request.errored === null) report('The server failed to answer a request', error)
        response.destroy()
      },
    )
  })
  server.maxConnections = limits.maxConnections
  // Nothing has moved on a connection for longer than a request and its call may take: its client does not take the answer.
  server.timeout = limits.requestMs + LONGEST_WEB_WAIT_MS
  return server

  async function answer(request: IncomingMessage): Promise<HttpReply> {
    const requestId = randomBytes(16).toString('hex')
    const refuse = (status: number, reason: string, headers: HttpReply['headers'] = []): HttpReply => {
      const reply = refusal({ status, reason, requestId, headers: request.headers })
      return { ...reply, headers: [...reply.headers, ...headers] }
    }

    const available = functions()
    if (available === undefined) return refuse(503, 'The server is still starting.', [['retry-after', '1']])
    const { name, path, query } = addressOf(request.url ?? '')
    if (isEnding() && READINESS.test(`/${name}${path}`)) return ENDING
    const firable = schedules()
    if (name === SCHEDULE_ROUTE && firable !== undefined) return fireByRequest(request, path, firable)
    const called = available.byName(name)
    if (called === undefined || called.web === false) return refuse(404, 'The requested resource does not exist.')
    const method = request.method ?? 'GET'
    if (!METHODS.includes(method))
      return refuse(405, `HTTP method not allowed, supported methods: ${METHODS.join(', ')}`, [['allow', METHODS.join(', ')]])

    const cors = corsHeaders(request)
    if (method === 'OPTIONS') return { status: 200, headers: cors, body: Buffer.alloc(0) }
    const body = await readBody(request)
    if (typeof body === 'number') return refuse(413, tooLarge(body).reason, [...cors, ['connection', 'close']])
    const admission = admit({ method, path, query, headers: headersOf(request), body }, called.web === 'raw' ? 'raw' : 'parsed')
    if (admission.outcome === 'refused') return refuse(admission.status, admission.reason, cors)

    const { ended, context } = called.call(admission.event)
    void ended.then(end => tell(called.qualifiedName, end))
    const end = await endForWeb(ended)
    const reply = end.end === 'late' ? platformError(202, 'Response not yet ready.', requestId) : toHttpReply(end, requestId)
    if (reply.mistake !== undefined && end.end === 'result') report(`${called.qualifiedName} ${reply.mistake}`)
    return withDefaults(reply, [...cors, ['x-openwhisk-activation-id', context.activationId]])
  }

  /** The client learns little of a failed call; whoever is working on the function should see why. */
  function tell(qualifiedName: string, ended: CallEnd): void {
    if (ended.end === 'thrown') report(`${qualifiedName} threw`, ended.error)
    if (ended.end === 'discarded') report(`${qualifiedName} ${ended.reason}`)
    if (ended.end === 'refused') report(`${qualifiedName}: ${ended.reason}`)
  }
}

function timesOf({ headersMs, requestMs, keepAliveMs, maxHeaderBytes }: HttpLimits): ServerOptions {
  return {
    headersTimeout: headersMs,
    // It counts the time for the headers as well.
    requestTimeout: Math.max(requestMs, headersMs),
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(LOOK_FOR_SLOW_MS, headersMs / 2),
    maxHeaderSize: maxHeaderBytes,
  }
}

/**
 * Takes no more connections and resolves when the calls under way are answered. Connections that a client keeps open
 * for its next request are closed as they fall idle.
 */
export async function closeHttpServer(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), LOOK_AGAIN_MS)
  try {
    await new Promise<void>(resolve => server.close(() => resolve()))
  } finally {
    clearInterval(idle)
  }
}

function send(request: IncomingMessage, response: ServerResponse, reply: HttpReply): void {
  response.statusCode = reply.status
  for (const [name, value] of reply.headers) response.appendHeader(name, value)
  // What is left of a body that was too large is read and forgotten: a client still writing would miss the answer.
  request.resume()
  response.end(reply.body)
}

/** `/webhook/demo?x=1` → function `webhook`, path `/demo`, query `x=1`. */
function addressOf(url: string): { name: string; path: string; query: string } {
  const [, name = '', path = '', query = ''] = /^\/([^/?#]*)([^?#]*)\??([^#]*)/.exec(url) ?? []
  return { name, path, query }
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers = Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(', ')] as const)
  return Object.fromEntries(headers)
}

/** The body, or its size when that is more than the platform takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | number> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > LARGEST_PAYLOAD) return announced
  const chunks: Buffer[] = []
  let size = 0
  // Not for await: leaving that loop early would destroy the connection before the answer is out.
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LARGEST_PAYLOAD) resolve(size)
      else chunks.push(chunk)
    })
  })
}

function corsHeaders(request: IncomingMessage): [string, string][] {
  const wished = request.headers['access-control-request-headers']
  return [
    ['access-control-allow-origin', '*'],
    ['access-control-allow-methods', 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH'],
    ['access-control-allow-headers', wished ?? 'Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent'],
  ]
}

/** Adds the headers that the function did not set itself. */
function withDefaults(reply: HttpReply, defaults: HttpReply['headers']): HttpReply {
  const given = new Set(reply.headers.map(([name]) => name))
  return { ...reply, headers: [...reply.headers, ...defaults.filter(([name]) => !given.has(name))] }
}
