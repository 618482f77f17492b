import { startClient, type Client, type ClientOptions } from './client.ts'

/** Clients that are loaded before they are needed. */
export interface Spares {
  /** Returns a client with a function; the next one is then loaded ahead. */
  take(functionName: string): Promise<Client>
  /** Keeps a client for the next one who takes its function. */
  giveBack(client: Client): void
  /** Ends all clients, those that were taken among them. */
  stop(): Promise<void>
}

export interface SparesOptions extends Pick<ClientOptions, 'program'> {
  /** The bundle of a function. */
  readonly entryOf: (functionName: string) => string
}

/** Keeps one client of each function ahead that was asked for once. */
export function keepSpares({ program, entryOf }: SparesOptions): Spares {
  const ahead = new Map<string, Promise<Client>>()
  const idle: Client[] = []
  const all = new Set<Promise<Client>>()
  let stopped = false

  function start(functionName: string): Promise<Client> {
    const client = startClient({ program, functionName, entry: entryOf(functionName) })
    all.add(client)
    const forget = () => void all.delete(client)
    // Its taker gets the error.
    client.then(one => one.gone.then(forget), forget)
    return client
  }

  return {
    async take(functionName) {
      if (stopped) throw new Error('No further clients are started')
      const used = idle.findIndex(client => client.functionName === functionName && client.isUsable())
      const [given] = used === -1 ? [] : idle.splice(used, 1)
      if (given !== undefined) return given
      const client = ahead.get(functionName) ?? start(functionName)
      ahead.set(functionName, start(functionName))
      return client
    },
    giveBack: client => void idle.push(client),
    async stop() {
      stopped = true
      await Promise.all([...all].map(client => client.then(one => one.end()).catch(() => undefined)))
    },
  }
}
