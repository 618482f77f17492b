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
}

export interface StrikeOptions {
  readonly lane: Lane
  readonly proxy: Proxy
  readonly operation: ProvenOperation
  readonly note: (what: { readonly fault: string; readonly point?: string }) => void
}

/** Has a fault strike once the wire reaches a point. */
export async function strike(
  { point, fault }: { readonly point: NumberedPoint; readonly fault: ProvenFault },
  { lane, proxy, operation, note }: StrikeOptions,
): Promise<Struck> {
  if (fault === 'server killed' && !lane.ownsServer) throw new Error('A server that other runs use cannot be killed')
  const client: Client = await lane.clientOf(operation.function)
  let mending: Promise<void> | undefined
  const cut = proxy.cutAt(point, connection => {
    note({ fault, point: describePoint(point) })
    switch (fault) {
      case 'closed':
        return connection.end('close')
      case 'reset':
        return connection.end('reset')
      case 'silent':
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
  return { reached: () => cut.reached(), mended: async () => mending }
}
