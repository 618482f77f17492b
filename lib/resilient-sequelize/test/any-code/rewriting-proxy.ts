import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy that replaces the text of a statement on its way to the server. */
export interface RewritingProxy {
  readonly port: number
  /** Replaces the first match of the pattern in the next statement that matches. */
  rewriteNext(pattern: RegExp, replacement: string): void
  stop(): Promise<void>
}

const QUERY = 'Q'.charCodeAt(0)
const PARSE = 'P'.charCodeAt(0)
// Type and length.
const HEADER_BYTES = 5

/** Starts a proxy without TLS in front of a server. */
export async function startRewritingProxy(target: { host: string; port: number }): Promise<RewritingProxy> {
  const rules: { pattern: RegExp; replacement: string }[] = []
  const sockets = new Set<Socket>()

  function rewrite(message: Buffer): Buffer {
    const [type] = message
    if (type !== QUERY && type !== PARSE) return message
    const body = message.subarray(HEADER_BYTES)
    const begin = type === PARSE ? body.indexOf(0) + 1 : 0
    const end = body.indexOf(0, begin)
    const text = body.toString('utf8', begin, end)
    const index = rules.findIndex(({ pattern }) => pattern.test(text))
    const rule = index < 0 ? undefined : rules.splice(index, 1)[0]
    if (rule === undefined) return message
    const rewritten = Buffer.concat([body.subarray(0, begin), Buffer.from(text.replace(rule.pattern, rule.replacement)), body.subarray(end)])
    const header = Buffer.alloc(HEADER_BYTES)
    header[0] = type
    header.writeInt32BE(rewritten.length + 4, 1)
    return Buffer.concat([header, rewritten])
  }

  const server = createServer(client => {
    const upstream = connect(target)
    let pending = Buffer.alloc(0)
    // The start-up message has a length and no type.
    let started = false
    client.on('data', chunk => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const lengthAt = started ? 1 : 0
        if (pending.length < lengthAt + 4) return
        const length = pending.readInt32BE(lengthAt) + lengthAt
        if (pending.length < length) return
        upstream.write(started ? rewrite(pending.subarray(0, length)) : pending.subarray(0, length))
        pending = pending.subarray(length)
        started = true
      }
    })
    upstream.on('data', chunk => client.write(chunk))
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    rewriteNext: (pattern, replacement) => void rules.push({ pattern, replacement }),
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
