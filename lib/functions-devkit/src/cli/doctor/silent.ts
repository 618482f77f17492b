import { once } from 'node:events'
import { connect } from 'node:net'
import { within } from './within.ts'

const ANSWER_MS = 2_000

/** Returns whether a port accepts a connection and then neither answers the first bytes nor closes. Never rejects. */
export async function isSilent({ host, port }: { readonly host: string; readonly port: number }, firstBytes: Uint8Array): Promise<boolean> {
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
  // A reset is an answer, too.
  const closed = new Promise(resolve => socket.once('error', resolve).once('close', resolve))
  try {
    await within(ANSWER_MS, once(socket, 'connect'))
  } catch {
    socket.destroy()
    return false
  }
  socket.write(firstBytes)
  try {
    await within(ANSWER_MS, Promise.race([once(socket, 'data'), closed]))
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}
