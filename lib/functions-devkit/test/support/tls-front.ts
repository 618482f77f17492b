import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export interface FrontOptions {
  /** The server behind it, which is reached without TLS. */
  readonly port: number
  /** What it shows to those who ask for TLS; without it they are told that there is none. */
  readonly certificate?: { readonly certificate: string; readonly key: string } | undefined
}

/** A door to PostgreSQL on a port of 127.0.0.1 with a certificate of its own. */
export async function startFront({ port, certificate }: FrontOptions): Promise<{ readonly port: number; stop(): void }> {
  const sockets = new Set<Socket>()
  const keep = <Kind extends Socket>(socket: Kind) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    return socket
  }
  const server = createServer(client => {
    keep(client).once('data', request => {
      // Whoever does not begin with a request for TLS has no business here.
      if (request.length !== 8 || request.readInt32BE(4) !== 80_877_103) return client.destroy()
      client.write(certificate === undefined ? 'N' : 'S')
      if (certificate === undefined) return undefined
      const secure = keep(new TLSSocket(client, { isServer: true, cert: certificate.certificate, key: certificate.key }))
      const behind = keep(connect(port, '127.0.0.1'))
      secure.pipe(behind).pipe(secure)
      secure.on('close', () => behind.destroy())
      behind.on('close', () => secure.destroy())
      return undefined
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
