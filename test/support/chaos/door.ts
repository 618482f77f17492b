import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Proxy } from '../proxy/proxy.ts'

const HOST = '127.0.0.1'
// Below the range from which the system gives ports to whoever asks for any: while nobody listens nobody else gets it.
const FIRST_PORT = 20_000
const PORTS = 10_000

/**
 * A proxy behind a port that stays its own while it is `unreachable`. A port of the usual range could be given to another
 * proxy meanwhile, and the client would find that one.
 */
export async function behindDoor(proxy: Proxy): Promise<Proxy> {
  const guests = new Set<Socket>()
  let listener: Server | undefined
  let port = 0

  async function open(): Promise<void> {
    while (listener === undefined) {
      const server = createServer({ noDelay: true }, letIn).listen(port || FIRST_PORT + Math.floor(Math.random() * PORTS), HOST)
      try {
        await once(server, 'listening')
        listener = server
      } catch (error) {
        if ((error as { code?: string }).code !== 'EADDRINUSE' || port !== 0) throw error
      }
    }
    port = (listener.address() as { port: number }).port
  }
  function shut(): void {
    listener?.close()
    listener = undefined
  }
  function letIn(guest: Socket): void {
    const host = connect({ host: proxy.host, port: proxy.port, noDelay: true })
    for (const [one, other] of [[guest, host] as const, [host, guest] as const]) {
      guests.add(one)
      one.on('error', () => other.resetAndDestroy()).on('close', () => (guests.delete(one), other.destroySoon()))
      one.pipe(other)
    }
  }

  await open()
  return {
    ...proxy,
    port,
    async refuse(manner) {
      if (manner === 'unreachable') shut()
      else await proxy.refuse(manner)
    },
    async accept() {
      await open()
      await proxy.accept()
    },
    async stop() {
      shut()
      for (const guest of guests) guest.destroy()
      await proxy.stop()
    },
  }
}
