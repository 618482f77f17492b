import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { type ServerAddress } from '../../../functions-devkit/src/server/postgres/connection.ts'

/** What a server that is none does: instead of the log-in, after it, and with the first statement. */
export interface FakeManners {
  connected?: (socket: Socket) => void
  welcomed?: (socket: Socket) => void
  asked?: (socket: Socket) => void
  /** Where it listens; default 127.0.0.1 and a free port. */
  at?: { host: string; port: number }
}

export interface FakeServer extends ServerAddress {
  stop(): Promise<void>
}

const message = (type: string, ...content: (string | number)[]) => {
  const body = Buffer.concat(content.map(part => (typeof part === 'string' ? Buffer.from(`${part}\0`) : Buffer.from([part]))))
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** Authentication is done, strings are as expected, and a statement may come. */
const WELCOME = Buffer.concat([message('R', 0, 0, 0, 0), message('S', 'standard_conforming_strings', 'on'), message('Z', 'I')])

/** The server ends the session. */
export const SHUTDOWN = message('E', ...['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command'], 0)

/** A row without columns. */
export const ROW = message('D', 0, 0)

/** Starts something that lets everybody log in without TLS and without a password, and then misbehaves. */
export async function startFakeServer({ connected, welcomed, asked, at = { host: '127.0.0.1', port: 0 } }: FakeManners = {}): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    if (connected) {
      connected(socket)
      return
    }
    socket.once('data', () => {
      // Whatever follows the welcome arrives together with it.
      socket.cork()
      socket.write(WELCOME)
      welcomed?.(socket)
      socket.uncork()
      socket.once('data', () => asked?.(socket))
    })
  }).listen(at.port, at.host)
  await once(server, 'listening')
  return {
    host: at.host,
    port: (server.address() as AddressInfo).port,
    user: 'anybody',
    password: 'anything',
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
