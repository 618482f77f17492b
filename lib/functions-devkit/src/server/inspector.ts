import { once } from 'node:events'
import { createServer } from 'node:net'

const THIS_MACHINE = '127.0.0.1'

/** The port that debuggers look at by themselves. */
export const INSPECTOR_PORT = 9229

/** @throws Error in words when the port is taken: Node would go on without a debugger. */
export async function requireFreePort(port = INSPECTOR_PORT): Promise<void> {
  const server = createServer().listen(port, THIS_MACHINE)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(`The debugger's port ${port} is taken: end the other program that is debugged`, { cause })
  }
  server.close()
  await once(server, 'close')
}
