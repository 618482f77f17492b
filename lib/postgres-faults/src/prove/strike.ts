import type { ProvenOperation } from '../../../functions-runtime/src/api/proofs.ts'
import { type Proxy } from '../proxy/proxy.ts'
import { type Client } from './client/client.ts'
import { type ProvenFault } from './faults.ts'
import { type Lane } from './lane.ts'
import { describePoint, type NumberedPoint } from './points.ts'

/** A fault that waits for its point. */
export interface Struck {
  reached(): boolean
  /** Resolves when what the fault took down is there again. */
  mended(): Promise<void>
  /** Ends what it still waits for. */
  stop(): void
}

/** What a history calls it when only TCP has ended a silent connection on the server. */
export const TCP_GAVE_UP = 'TCP gave up the silent connection on the server'

export interface StrikeOptions {
  readonly lane: Lane
  readonly proxy: Proxy
  readonly operation: ProvenOperation
  readonly note: (what: { readonly fault: string; readonly point?: string }) => void
}

// A server that has received a part of a flight waits for its end without a time limit. Its TCP gives a silent client up: after
// two hours by default, little here. That is longer than the time limits of a session, which come first where there are any.
const TCP_GIVES_UP_MS = 4_000

/** Has a fault strike once the wire reaches a point. */
export async function strike(
  { point, fault }: { readonly point: NumberedPoint; readonly fault: ProvenFault },
  { lane, proxy, operation, note }: StrikeOptions,
): Promise<Struck> {
  if (fault === 'server killed' && !lane.ownsServer) throw new Error('A server that other runs use cannot be killed')
  const client: Client = await lane.clientOf(operation.function)
  let mending: Promise<void> | undefined
  let patience: NodeJS.Timeout | undefined
  const cut = proxy.cutAt(point, connection => {
    note({ fault, point: describePoint(point) })
    switch (fault) {
      case 'closed':
        return connection.end('close')
      case 'reset':
        return connection.end('reset')
      case 'silent':
        patience = setTimeout(() => {
          if (connection.serverHasEnded()) return
          note({ fault: TCP_GAVE_UP })
          connection.end('reset')
        }, TCP_GIVES_UP_MS)
        return
      case 'client killed':
        client.kill()
        return connection.end('reset')
      case 'server killed':
        lane.ground.kill()
        connection.end('reset')
        mending = lane.ground.restart().then(() => note({ fault: 'server started again' }))
        // It is awaited later.
        mending.catch(() => undefined)
        return
    }
  })
  return { reached: () => cut.reached(), mended: async () => mending, stop: () => clearTimeout(patience) }
}
