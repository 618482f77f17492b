import { once } from 'node:events'
import { type Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import { readBytes } from './reading.ts'
import { type ConnectionRecord } from './recorder.ts'
import { type Side, type WireConnection } from './wire.ts'

export const SSL_REQUEST = 80877103
export const GSS_ENCRYPTION_REQUEST = 80877104
export const CANCEL_REQUEST = 80877102
/** The name of the protocol in TLS; with direct TLS the client must ask for it. */
export const ALPN = 'postgresql'

const TLS_HANDSHAKE = 0x16
const REQUEST_BYTES = 8

export interface NegotiationOptions {
  /** Without it TLS is declined. */
  secureContext: SecureContext | undefined
  record: ConnectionRecord
  wire: WireConnection
  /** Resolves after what a step costs on the way to the client and back. */
  roundTrip: () => Promise<void>
}

/**
 * Agrees with a client on encryption, as a server does: by SSLRequest, or with TLS from the first byte. Resolves to the
 * stream that the rest goes over; a client that asks for nothing goes on unencrypted. Rejects when the client goes or is cut.
 */
export async function negotiate(socket: Socket, { secureContext, record, wire, roundTrip }: NegotiationOptions): Promise<Socket> {
  let agreed = false
  const take = (from: Side, type: string, bytes: Buffer) => {
    if (!wire.takes({ from, type, bytes })) throw new Error('The connection was cut')
  }
  for (;;) {
    const first = await readBytes(socket, 1)
    socket.unshift(first)
    if (secureContext && first[0] === TLS_HANDSHAKE) {
      take('client', 'TLSHandshake', first)
      await roundTrip()
      const encrypted = await handshake(socket, secureContext, agreed)
      const isShort = encrypted.getProtocol() === 'TLSv1.3' || encrypted.isSessionReused()
      if (!isShort) await roundTrip()
      record.shookHands(isShort ? 1 : 2)
      return encrypted
    }
    const request = await readBytes(socket, REQUEST_BYTES)
    const code = request.readInt32BE(4)
    if (code !== SSL_REQUEST && code !== GSS_ENCRYPTION_REQUEST) {
      socket.unshift(request)
      return socket
    }
    const type = code === SSL_REQUEST ? 'SSLRequest' : 'GSSENCRequest'
    record.sent({ type }, request.length)
    take('client', type, request)
    await roundTrip()
    agreed = code === SSL_REQUEST && secureContext !== undefined
    const answer = Buffer.from(agreed ? 'S' : 'N')
    take('server', 'EncryptionResponse', answer)
    record.answered(answer.length)
    socket.write(answer)
  }
}

async function handshake(socket: Socket, secureContext: SecureContext, agreed: boolean): Promise<TLSSocket> {
  const encrypted = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [ALPN] })
  encrypted.on('error', () => {})
  const gone = once(encrypted, 'close').then(() => Promise.reject(new Error('The TLS handshake failed')))
  await Promise.race([once(encrypted, 'secure'), gone])
  gone.catch(() => {})
  if (!agreed && encrypted.alpnProtocol !== ALPN) throw new Error('Direct TLS without ALPN')
  return encrypted
}
