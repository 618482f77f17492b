import inspector from 'node:inspector'

// The port that debuggers look at by themselves.
const PORT = 9229

/**
 * Lets a debugger attach to this process, on the loopback interface; returns the address.
 * @throws Error in words when the port is taken.
 */
export function openInspector(port = PORT): string {
  inspector.open(port, '127.0.0.1')
  const address = inspector.url()
  if (address === undefined) throw new Error(`The debugger's port ${port} is taken: end the other program that is debugged`)
  return address
}
