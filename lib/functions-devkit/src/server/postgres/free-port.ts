import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** A program listens on this port already. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
  readonly port: number

  constructor(port: number, cause: unknown) {
    super(`Port ${port} is taken by another program`, { cause })
    this.port = port
  }
}

/** The system keeps this port for privileged users. */
export class PortClosedError extends Error {
  override readonly name = 'PortClosedError'
  readonly port: number

  constructor(port: number, cause: unknown) {
    super(`Port ${port} is closed to ordinary users`, { cause })
    this.port = port
  }
}

/** Returns a TCP port of 127.0.0.1 that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  return tryListening(0)
}

/** Whether nothing listens on a TCP port of 127.0.0.1 at this moment. */
export async function isFree(port: number): Promise<boolean> {
  return requireFree(port).then(
    () => true,
    () => false,
  )
}

/** @throws PortTakenError when something listens on this TCP port of 127.0.0.1, PortClosedError when this user must not. */
export async function requireFree(port: number): Promise<void> {
  try {
    await tryListening(port)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new PortTakenError(port, error)
    if (code === 'EACCES') throw new PortClosedError(port, error)
    throw error
  }
}

async function tryListening(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
