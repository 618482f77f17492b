import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A program of the consumer's folder that takes orders. */
export interface Child {
  readonly process: ChildProcess
  /** Sends an order and resolves to its answer; rejects when the program fails or ends. */
  order(name: string, given?: object): Promise<unknown>
  /** Ends the program, also while it is stopped by a signal. */
  end(): Promise<void>
}

interface ChildOptions {
  readonly file: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The Node that runs it. */
  readonly node: string
}

/** Starts a program under a Node of choice. */
export function startChild({ file, args = [], env = {}, node }: ChildOptions): Child {
  const child = fork(file, args, { execPath: node, execArgv: [], env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let next = 0
  let errorText = ''
  child.stderr?.on('data', chunk => (errorText += String(chunk)))
  child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(result)
    else one?.reject(new Error(error))
  })
  const ended = once(child, 'exit')
  void ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`The program has ended:\n${errorText}`))
    waiting.clear()
  })
  return {
    process: child,
    order: (name, given = {}) =>
      new Promise((resolve, reject) => {
        const id = (next += 1)
        waiting.set(id, { resolve, reject })
        child.send({ id, name, given }, error => error && reject(error))
      }),
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
