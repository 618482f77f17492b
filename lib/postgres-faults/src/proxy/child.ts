import { type AddedFault, type Fault } from './faults.ts'
import { startProxy, type InProcess, type Proxy, type ProxyOptions } from './proxy.ts'

/** What the parent asks for; each request is answered once, under its number. */
export type Request = { id: number } & (
  | { ask: 'start'; options: ProxyOptions }
  | { ask: 'call'; method: Exclude<keyof Proxy, InProcess | 'host' | 'port' | 'authority'>; args: unknown[] }
  | { ask: 'addFault'; fault: Fault }
  /** `fault` is the number of the request that added it. */
  | { ask: keyof AddedFault; fault: number }
)

export type Reply = { id: number } & ({ value: unknown } | { error: unknown })

let proxy: Proxy | undefined
const faults = new Map<number, AddedFault>()

process.on('message', (request: Request) => {
  const reply = (reply: Reply) => process.send?.(reply)
  answer(request).then(
    value => reply({ id: request.id, value }),
    (error: unknown) => reply({ id: request.id, error }),
  )
})
// Without its parent there is nobody left to stop it.
process.on('disconnect', () => process.exit())

async function answer(request: Request): Promise<unknown> {
  if (request.ask === 'start') {
    proxy = await startProxy(request.options)
    return { host: proxy.host, port: proxy.port, authority: proxy.authority }
  }
  if (proxy === undefined) throw new Error('The proxy has not been started')
  switch (request.ask) {
    case 'call':
      return (proxy[request.method] as (...args: unknown[]) => unknown)(...request.args)
    case 'addFault':
      return void faults.set(request.id, proxy.addFault(request.fault))
    case 'firstFired':
      return faults.get(request.fault)?.firstFired
    case 'fired':
    case 'remove':
      return faults.get(request.fault)?.[request.ask]()
  }
}
