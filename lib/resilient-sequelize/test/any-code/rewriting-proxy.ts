import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { HEADER_BYTES, MessageSplitter, type Message } from '../../../postgres-faults/src/proxy/messages.ts'

/** A proxy that replaces the text of a statement on its way to the server. */
export interface RewritingProxy {
  readonly port: number
  /** Replaces the first match of the pattern in the next statement that matches. */
  rewriteNext(pattern: RegExp, replacement: string): void
  stop(): Promise<void>
}

/** Starts a proxy without TLS in front of a server. */
export async function startRewritingProxy(target: { host: string; port: number }): Promise<RewritingProxy> {
  const rules: { pattern: RegExp; replacement: string }[] = []
  const sockets = new Set<Socket>()

  function rewrite({ type, bytes }: Message): Buffer {
    if (type !== 'Q' && type !== 'P') return bytes
    const body = bytes.subarray(HEADER_BYTES)
    const begin = type === 'P' ? body.indexOf(0) + 1 : 0
    const end = body.indexOf(0, begin)
    const text = body.toString('utf8', begin, end)
    const index = rules.findIndex(({ pattern }) => pattern.test(text))
    const rule = index < 0 ? undefined : rules.splice(index, 1)[0]
    if (rule === undefined) return bytes
    const rewritten = Buffer.concat([body.subarray(0, begin), Buffer.from(text.replace(rule.pattern, rule.replacement)), body.subarray(end)])
    const header = Buffer.alloc(HEADER_BYTES, type)
    header.writeInt32BE(rewritten.length + 4, 1)
    return Buffer.concat([header, rewritten])
  }

  const server = createServer(client => {
    const upstream = connect(target)
    const splitter = new MessageSplitter()
    // The start-up message has no type. The client waits for its answer before it sends more.
    client.once('data', startUp => {
      upstream.write(startUp)
      client.on('data', chunk => {
        for (const message of splitter.split(chunk)) upstream.write(rewrite(message))
      })
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
