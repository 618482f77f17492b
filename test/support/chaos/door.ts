import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
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

  async function open(port: number): Promise<void> {
    const server = createServer({ noDelay: true }, letIn).listen(port, HOST)
    await once(server, 'listening')
    listener = server
  }
  async function openSomewhere(): Promise<DatagramSocket> {
    for (;;) {
      const claim = await claimPort(FIRST_PORT + Math.floor(Math.random() * PORTS))
      if (claim === undefined) continue
      try {
        await open(claim.address().port)
        return claim
      } catch (error) {
        claim.close()
        if (!isInUse(error)) throw error
      }
    }
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

  const claim = await openSomewhere()
  const { port } = claim.address()
  return {
    ...proxy,
    port,
    async refuse(manner) {
      if (manner === 'unreachable') shut()
      else await proxy.refuse(manner)
    },
    async accept() {
      if (listener === undefined) await open(port)
      await proxy.accept()
    },
    async stop() {
      shut()
      claim.close()
      for (const guest of guests) guest.destroy()
      await proxy.stop()
    },
  }
}

// The same port for datagrams, which nobody uses, says to other doors that this one is taken while nobody listens there.
async function claimPort(port: number): Promise<DatagramSocket | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ port, address: HOST, exclusive: true })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    if (isInUse(error)) return undefined
    throw error
  }
}

function isInUse(error: unknown): boolean {
  return (error as { code?: string }).code === 'EADDRINUSE'
}
