import { type Client } from './client/client.ts'
import { type Variables } from './client/orders.ts'
import { type Ground } from './ground.ts'
import { type Stage } from './stage.ts'

/** What one run after the other uses: a server, and a client of each function that is called. */
export interface Lane {
  readonly stage: Stage
  readonly ground: Ground
  /** Whether no other lane uses its server. */
  readonly ownsServer: boolean
  /** Returns the client of a function. One that is gone is replaced, and gets the variables of the last `begin`. */
  clientOf(functionName: string): Promise<Client>
  /** Ends what the calls so far have built; the next call is a cold start with these variables. */
  begin(functionName: string, variables: Variables): Promise<void>
}

/** Opens a lane on a server. */
export function openLane(stage: Stage, ground: Ground): Lane {
  const clients = new Map<string, Client>()
  const begun = new Map<string, Variables>()

  async function clientOf(functionName: string): Promise<Client> {
    const present = clients.get(functionName)
    if (present?.isUsable()) return present
    const fresh = await stage.spares.take(functionName)
    clients.set(functionName, fresh)
    const variables = begun.get(functionName)
    if (variables !== undefined) await fresh.begin(variables)
    return fresh
  }

  return {
    stage,
    ground,
    ownsServer: ground !== stage.shared,
    clientOf,
    async begin(functionName, variables) {
      begun.set(functionName, variables)
      const present = clients.get(functionName)
      const client = await clientOf(functionName)
      if (client === present) await client.begin(variables)
    },
  }
}
