import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { type Reply, type Request } from './child.ts'
import { type AddedFault, type Fault } from './faults.ts'
import { type InProcess, type Proxy, type ProxyOptions } from './proxy.ts'

/** The same, each method resolving to what it returns. */
type Remote<Methods> = {
  [Name in keyof Methods]: Methods[Name] extends (...args: infer Args) => infer Result ? (...args: Args) => Promise<Awaited<Result>> : Methods[Name]
}

/** A proxy in a process of its own. */
export type ProxyInChild = Remote<Omit<Proxy, InProcess>> & { pid: number; addFault(fault: Fault): Promise<Remote<AddedFault>> }

/** A request before it has its number. */
type Question<Asked = Request> = Asked extends unknown ? Omit<Asked, 'id'> : never

/**
 * Starts a proxy that goes on while the event loop of this process is blocked or the process is stopped. What is
 * passed to it and back is copied; regular expressions and Infinity survive that. `stop` ends its process.
 */
export async function startProxyInChild(options: ProxyOptions): Promise<ProxyInChild> {
  const child = fork(join(import.meta.dirname, `child${extname(import.meta.filename)}`), [], { serialization: 'advanced', execArgv: [] })
  const gone = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let requests = 0
  child.on('message', (reply: Reply) => {
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) asked?.reject(reply.error)
    else asked?.resolve(reply.value)
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The process of the proxy has ended'))
  })

  async function ask<Result>(question: Question, id = ++requests): Promise<Result> {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    child.send({ id, ...question }, error => {
      if (error) answer.reject(error)
    })
    return (await answer.promise) as Result
  }
  function remote<Method extends Extract<Question, { ask: 'call' }>['method']>(method: Method): ProxyInChild[Method] {
    return ((...args: unknown[]) => ask({ ask: 'call', method, args })) as ProxyInChild[Method]
  }

  async function stop(): Promise<void> {
    if (child.connected) child.disconnect()
    await gone
  }

  const started = await ask<Pick<Proxy, 'host' | 'port' | 'authority'>>({ ask: 'start', options }).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    ...started,
    pid: child.pid ?? 0,
    counts: remote('counts'),
    resetCounts: remote('resetCounts'),
    log: remote('log'),
    statementFlights: remote('statementFlights'),
    refuse: remote('refuse'),
    accept: remote('accept'),
    silence: remote('silence'),
    unsilence: remote('unsilence'),
    cutAll: remote('cutAll'),
    retarget: remote('retarget'),
    setDelay: remote('setDelay'),
    async addFault(fault) {
      const id = ++requests
      await ask({ ask: 'addFault', fault }, id)
      const firstFired = ask<void>({ ask: 'firstFired', fault: id })
      // Most tests do not look at it, and it fails when the proxy ends first.
      firstFired.catch(() => {})
      return { firstFired, fired: () => ask({ ask: 'fired', fault: id }), remove: () => ask({ ask: 'remove', fault: id }) }
    },
    stop,
  }
}
