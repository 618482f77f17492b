import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** An alert as its receiver has it, after the signature was verified by somebody else's library. */
export interface ReceivedAlert {
  type: string
  timestamp: string
  data: { code: string; severity: string; summary: string; observed?: number; threshold?: number }
}

/** Somebody who hears of alerts, or of heartbeats. */
export interface Receiver {
  readonly url: string
  /** The bodies in the order in which they came; of a request without one, its method and path. */
  readonly texts: string[]
  /** Those of the texts that are signed alerts. */
  readonly alerts: ReceivedAlert[]
  /** How it answers from now on: a status, or not at all. */
  behave(how: number | 'silent'): void
  stop(): Promise<void>
}

/** Listens on this machine; with a secret every request has to be signed with it, or is answered 401. */
export async function startReceiver({ secret }: { secret?: string } = {}): Promise<Receiver> {
  const texts: string[] = []
  const alerts: ReceivedAlert[] = []
  let behaviour: number | 'silent' = 204

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    if (behaviour === 'silent') return
    try {
      if (secret !== undefined) alerts.push(new Webhook(secret).verify(text, request.headers as Record<string, string>) as ReceivedAlert)
    } catch {
      response.writeHead(401).end()
      return
    }
    texts.push(text || `${request.method} ${request.url}`)
    if (behaviour >= 300) alerts.pop()
    response.writeHead(behaviour, behaviour === 302 ? { location: '/elsewhere' } : {}).end()
  }

  const server = createServer((request, response) => void receive(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret-path`,
    texts,
    alerts,
    behave: how => void (behaviour = how),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
