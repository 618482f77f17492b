import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely, type ConnectionOptions } from 'node:tls'
import { SSL_REQUEST } from './negotiation.ts'
import { readBytes } from './reading.ts'

/** The real server. */
export interface Target {
  host: string
  port: number
  /** Asks the server for TLS, with these settings; without it the connection is plain. */
  tls?: ConnectionOptions
}

/** Connects to the real server; `opened` is told of the socket at once, so that it can be closed at any time. */
export async function connectTarget({ host, port, tls }: Target, opened: (socket: Socket) => void): Promise<Socket> {
  const plain = connect({ host, port, noDelay: true, allowHalfOpen: true })
  opened(plain)
  await once(plain, 'connect')
  if (tls === undefined) return plain
  const request = Buffer.alloc(8)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(SSL_REQUEST, 4)
  plain.write(request)
  const answer = await readBytes(plain, 1)
  if (answer.toString() !== 'S') throw new Error('The server does not support TLS')
  const encrypted = connectSecurely({ host, ...tls, socket: plain })
  opened(encrypted)
  await once(encrypted, 'secureConnect')
  return encrypted
}
