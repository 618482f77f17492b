import { Agent, request as send, type ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiKey } from '../functions.ts'
import { completedTransaction, signedHeaders } from '../webhooks.ts'

/** What became of one request. */
export type Fate =
  | { readonly fate: 'answered'; readonly status: number; readonly body: string; readonly connection: string | undefined }
  /** Nobody listened: nothing was sent, and the client may go elsewhere. */
  | { readonly fate: 'refused' }
  /** It was sent, or could have been, and nobody answered. */
  | { readonly fate: 'lost'; readonly why: string }

export interface SentRequest {
  readonly kind: 'webhook' | 'user' | 'health'
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The n-th request of a mixed load; every third is a webhook that writes, every third reads users. */
export function mixedRequest(index: number): SentRequest {
  if (index % 3 === 0) {
    const body = completedTransaction()
    return { kind: 'webhook', method: 'POST', path: '/webhook/demo', headers: signedHeaders(body), body }
  }
  if (index % 3 === 1) return { kind: 'user', method: 'GET', path: '/user', headers: { authorization: `Bearer ${apiKey}` }, body: '' }
  return { kind: 'health', method: 'GET', path: '/health', headers: {}, body: '' }
}

/** Sends one request and tells what became of it; never rejects. */
export async function sendTo(port: number, { method, path, headers, body }: SentRequest, agent?: Agent): Promise<Fate> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }
    const request: ClientRequest = send({ ...options, agent: agent ?? new Agent({ keepAlive: false }) }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', error => resolve({ fate: 'lost', why: `in the answer: ${error.message}` }))
      response.on('end', () =>
        resolve({
          fate: 'answered',
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          connection: response.headers.connection,
        }),
      )
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve({ fate: 'refused' })
      else resolve({ fate: 'lost', why: `${error.code ?? error.message}${request.reusedSocket ? ' on a kept connection' : ''}` })
    })
    request.end(body)
  })
}

export interface Load {
  readonly sent: readonly { readonly request: SentRequest; readonly fate: Promise<Fate> }[]
  /** Sends no more, and resolves when all that was sent has its fate. */
  stop(): Promise<void>
}

// More unanswered requests would only measure the queue of a slow machine.
const MAX_UNANSWERED = 50

/**
 * Sends requests at a steady rate, with up to 50 of them unanswered: in turns on kept connections and on one of their own, to
 * the ports that are named at that moment.
 */
export function startLoad(ports: () => readonly number[], { perSecond }: { readonly perSecond: number }): Load {
  const sent: { request: SentRequest; fate: Promise<Fate> }[] = []
  const agent = new Agent({ keepAlive: true })
  const stop = new AbortController()
  const startedAt = performance.now()
  let unanswered = 0
  const sending = (async () => {
    while (!stop.signal.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
      const open = ports()
      while (sent.length < due && unanswered < MAX_UNANSWERED) {
        const request = mixedRequest(sent.length)
        const first = sent.length % open.length
        // Not by thirds: each kind goes both ways.
        const keeps = Math.floor(sent.length / 3) % 2 === 0
        const fate = sendToFirst([...open.slice(first), ...open.slice(0, first)], request, keeps ? agent : undefined)
        unanswered++
        void fate.finally(() => unanswered--)
        sent.push({ request, fate })
      }
      await sleep(2)
    }
  })()
  return {
    sent,
    async stop() {
      stop.abort()
      await sending
      await Promise.all(sent.map(({ fate }) => fate))
      agent.destroy()
    },
  }
}

// Whoever is refused has sent nothing, and goes elsewhere.
async function sendToFirst(ports: readonly number[], request: SentRequest, agent: Agent | undefined): Promise<Fate> {
  let met: Fate = { fate: 'refused' }
  for (const port of ports) {
    met = await sendTo(port, request, agent)
    if (met.fate !== 'refused') break
  }
  return met
}

/** Asks who is ready again and again, as whoever balances the load does. When nobody is, it goes by what it knew before. */
export function watchReadiness(ports: readonly number[], path: string, everyMs = 50): { ready(): readonly number[]; stop(): Promise<void> } {
  let ready = ports
  const stop = new AbortController()
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const asked = await Promise.all(
        ports.map(async port => {
          const met = await sendTo(port, { kind: 'health', method: 'GET', path, headers: {}, body: '' })
          return met.fate === 'answered' && met.status < 500 ? [port] : []
        }),
      )
      if (asked.flat().length > 0) ready = asked.flat()
      await sleep(everyMs)
    }
  })()
  return {
    ready: () => ready,
    async stop() {
      stop.abort()
      await watching
    },
  }
}
