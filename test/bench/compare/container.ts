import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Calls {
  /** Of each call, around the call, inside the process. */
  readonly ms: readonly number[]
  readonly errors: readonly string[]
  readonly cpuMs: number
  /** Since the process began. */
  readonly uptimeMs: number
}

/** A process that runs one way. */
export interface Container extends AsyncDisposable {
  loaded(): Promise<{ loadMs: number }>
  evaluate(): Promise<{ loadMs: number; evaluateMs: number }>
  call(kind: Kind, times?: number): Promise<Calls>
  /** Moves its wall clock on. */
  pass(ms: number): Promise<void>
  residentMb(): Promise<number>
  /** Stops it and lets it go on, as the platform pauses a container. */
  pause(): void
  resume(): void
}

export type Kind = 'read' | 'write'

/** Starts a process that loads `entry` and nothing else; resolves when that is done. */
export async function startContainer(entry: string, environment: Readonly<Record<string, string>>): Promise<Container> {
  const child = fork(join(import.meta.dirname, 'container.cjs'), [entry], {
    env: environment,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<void>()
  let orders = 0
  child.on('message', (message: { ready: true } | { id: number; value?: unknown; error?: string }) => {
    if ('ready' in message) return ready.resolve()
    const order = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) order?.resolve(message.value)
    else order?.reject(new Error(message.error))
  })
  child.on('exit', code => {
    const error = new Error(`The process has ended (${code ?? 'killed'})`)
    ready.reject(error)
    for (const { reject } of waiting.values()) reject(error)
  })
  const give = async <Result>(order: string, given: object = {}) => {
    const id = (orders += 1)
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    child.send({ id, order, given })
    return (await answer.promise) as Result
  }
  await ready.promise
  return {
    loaded: () => give('loaded'),
    evaluate: () => give('evaluate'),
    call: (kind, times = 1) => give('call', { kind, times }),
    pass: ms => give('pass', { ms }),
    residentMb: async () => (await give<{ residentMb: number }>('memory')).residentMb,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
