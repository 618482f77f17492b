import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as afterPoll, setTimeout as sleep } from 'node:timers/promises'

/** The connections of a server, so that it can be ended without losing what was sent to it. */
export interface Connections {
  /**
   * Stops accepting, as soon as nobody comes any more or `patienceMs` are over, and resolves when every request that had
   * begun is answered. Whoever is connected and asks for nothing is let go.
   */
  finish(options: { readonly patienceMs: number }): Promise<void>
  /** Cuts what is left; tells how many that were. */
  cut(): number
}

const LOOK_AGAIN_MS = 25
// After so long without a new connection whoever balances the load has noticed.
const NOBODY_CAME_MS = 100
// A round of the event loop that does nothing takes less than this.
const SHORT_ROUND_MS = 0.1
// The next request on a connection that was in use just now may be on its way; its answer asks to close.
const LINGER_MS = 300
// A connection that is this old and has sent nothing is one that a balancer keeps in store.
const SILENT_MS = 500

/** Follows the connections of a server from now on. */
export function followConnections(server: Server): Connections {
  const open = new Map<Socket, number>()
  let lastCameAt = Number.NEGATIVE_INFINITY
  server.on('connection', (socket: Socket) => {
    lastCameAt = performance.now()
    open.set(socket, lastCameAt)
    socket.once('close', () => open.delete(socket))
  })

  async function untilNobodyComes(until: number): Promise<void> {
    const since = performance.now()
    while (performance.now() < until && performance.now() - Math.max(since, lastCameAt) < NOBODY_CAME_MS) await sleep(LOOK_AGAIN_MS)
  }

  /**
   * Resolves at the end of a round of the event loop that had nobody to let in and hardly anything else to do. Whoever
   * waits in the queue of the listening socket when that is closed is reset by the system: they are let in first, and
   * the moment in which another could arrive is made as short as it can be.
   */
  async function untilNobodyWaits(until: number): Promise<void> {
    for (;;) {
      const roundAt = performance.now()
      await afterPoll()
      const now = performance.now()
      if ((lastCameAt < roundAt && now - roundAt < SHORT_ROUND_MS) || now > until) return
    }
  }

  return {
    async finish({ patienceMs }) {
      const startedAt = performance.now()
      await untilNobodyComes(startedAt + patienceMs / 2)
      await untilNobodyWaits(startedAt + patienceMs)
      // At once, and the listening socket alone: an HTTP server would end its idle connections before that.
      const closed = new Promise<void>(resolve => NetServer.prototype.close.call(server, () => resolve()))
      const done = new AbortController()
      void closed.then(() => done.abort())
      const rest = (ms: number) => sleep(ms, undefined, { signal: done.signal }).catch(() => undefined)
      await rest(LINGER_MS)
      while (!done.signal.aborted) {
        server.closeIdleConnections()
        for (const [socket, since] of open) if (socket.bytesRead === 0 && performance.now() - since > SILENT_MS) socket.destroy()
        await rest(LOOK_AGAIN_MS)
      }
    },
    cut() {
      const { size } = open
      for (const socket of open.keys()) socket.destroy()
      return size
    },
  }
}
