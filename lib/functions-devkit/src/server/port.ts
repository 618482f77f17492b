import { once } from 'node:events'
import { type Server } from 'node:http'
import { type AddressInfo } from 'node:net'

/** Used when `PORT` says nothing else. */
const USUAL_PORT = 8080
const THIS_MACHINE = '127.0.0.1'

/**
 * Reads a port number; 0 lets the system choose a free one.
 * @throws Error when the text is no port number.
 */
export function readPort(text: string | undefined): number {
  return readOptionalPort('PORT', text) ?? USUAL_PORT
}

/**
 * The same for a variable without a default.
 * @throws Error when the text is no port number.
 */
export function readOptionalPort(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text.trim()) || port > 65_535) throw new Error(`${name} is no port number: ${text}`)
  return port
}

/**
 * Makes the server listen, for this machine only unless another address is named, and returns its own as a URL.
 * @throws Error that says what is wrong with the port.
 */
export async function listen(server: Server, port: number, host = THIS_MACHINE, command = 'npm start'): Promise<string> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new Error(`Port ${port} is taken by another program: choose one with PORT=… ${command}`, { cause: error })
    if (code === 'EACCES') throw new Error(`Port ${port} is closed to ordinary users: choose one above 1023 with PORT=… ${command}`, { cause: error })
    throw error
  }
  return `http://${host}:${(server.address() as AddressInfo).port}`
}
