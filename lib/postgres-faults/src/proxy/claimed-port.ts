import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface ClaimedPort {
  readonly port: number
  release(): void
}

const HOST = '127.0.0.1'
// Below the range from which the system gives ports to whoever asks for any.
const FIRST_PORT = 20_000
const PORTS = 10_000

/**
 * Claims a port that stays one's own while nobody listens on it: the same port for datagrams, which nobody uses, says so
 * to everybody else who claims one here. An ordinary one could be given away meanwhile, and clients would find somebody
 * else's server there.
 */
export async function claimPort(): Promise<ClaimedPort> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    const claim = await bind(port)
    if (claim === undefined) continue
    let claimed = true
    return {
      port,
      release() {
        if (claimed) claim.close()
        claimed = false
      },
    }
  }
}

async function bind(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4')
  // A claim alone keeps no process running.
  socket.unref()
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

/** Whether somebody else has the port. */
export function isInUse(error: unknown): boolean {
  return (error as { code?: string }).code === 'EADDRINUSE'
}
