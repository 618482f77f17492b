import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as afterPoll, setTimeout as sleep } from 'node:timers/promises'

/** The connections of a server, so that it can be ended without losing what was sent to it. */
export interface Connections {
  /**
   * Stops accepting and resolves when every request that had begun is answered. Whoever connected, but has sent nothing
   * for a while, is let go.
   */
  finish(): Promise<void>
  /** Cuts what is left; tells how many that were. */
  cut(): number
}

const LOOK_AGAIN_MS = 25
// A connection that is this old and has sent nothing is one that a balancer keeps in store.
const SILENT_MS = 500
// So many rounds of the event loop may bring new connections before the door is shut on the next one.
const MOST_ROUNDS = 1_000

/** Follows the connections of a server from now on. */
export function followConnections(server: Server): Connections {
  const open = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    open.set(socket, performance.now())
    socket.once('close', () => open.delete(socket))
  })

  /**
   * Resolves in a round of the event loop that had nobody to let in. What waits in the queue of the listening socket
   * when that is closed is reset by the system, so it has to be let in first.
   */
  async function untilNobodyWaits(): Promise<void> {
    let arrived = true
    const note = () => void (arrived = true)
    server.on('connection', note)
    for (let round = 0; arrived && round < MOST_ROUNDS; round += 1) {
      arrived = false
      await afterPoll()
    }
    server.off('connection', note)
  }

  return {
    async finish() {
      await untilNobodyWaits()
      // Nothing may come between the round above and this; it ends idle connections as well.
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      const done = new AbortController()
      void closed.then(() => done.abort())
      while (!done.signal.aborted) {
        server.closeIdleConnections()
        for (const [socket, since] of open) if (socket.bytesRead === 0 && performance.now() - since > SILENT_MS) socket.destroy()
        await sleep(LOOK_AGAIN_MS, undefined, { signal: done.signal }).catch(() => undefined)
      }
    },
    cut() {
      const { size } = open
      for (const socket of open.keys()) socket.destroy()
      return size
    },
  }
}
