import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CodedError } from '../../../../invocation/src/errors.ts'
import { openLanes } from '../lanes.ts'
import { type Result } from '../workloads.ts'
import { type ContainerOrder, type Said, type Told } from './orders.ts'

/** A container in a process of its own, which can be stopped as the platform does it. */
export interface PausedContainer {
  open(name: string, environment: Record<string, string>): Promise<void>
  advance(ms: number): Promise<void>
  /** Sends a request and resolves to its result; rejects with the code of the problem that it was answered with. */
  call(order: ContainerOrder, options: { remainingMs: number; stopAfterwards?: boolean }): Promise<Result>
  pause(): void
  resume(): void
  close(): Promise<void>
}

/** Lends containers; each is one process, which serves one borrower after the other. */
export interface Containers {
  borrow<Lent>(work: (container: PausedContainer) => Promise<Lent>): Promise<Lent>
  stop(): Promise<void>
}

/** A few containers, each started when it is first needed. */
export function containers(count: number): Containers {
  const lanes = openLanes(count)
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()

  async function start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'program.ts'), [], { execArgv: [] })
    all.add(child)
    await once(child, 'message')
    return child
  }

  return {
    borrow: work =>
      lanes(async () => {
        const child = idle.pop() ?? (await start())
        try {
          return await work(containerOf(child))
        } finally {
          child.kill('SIGCONT')
          idle.push(child)
        }
      }),
    async stop() {
      await Promise.all([...all].map(child => (child.kill('SIGKILL'), once(child, 'exit'))))
      all.clear()
      idle.length = 0
    },
  }
}

function containerOf(child: ChildProcess): PausedContainer {
  async function tell(told: Told): Promise<Said> {
    const heard = once(child, 'message') as Promise<[Said]>
    child.send(told)
    const [said] = await heard
    if (said.said === 'failed') throw new Error(said.why)
    return said
  }
  return {
    open: async (name, environment) => void (await tell({ tell: 'open', name, environment })),
    advance: async ms => void (await tell({ tell: 'advance', ms })),
    async call(order, { remainingMs, stopAfterwards = false }) {
      const said = await tell({ tell: 'call', order, remainingMs, stopAfterwards })
      return resultOf(said.said === 'answer' ? said.answer : {})
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    close: async () => void (await tell({ tell: 'close' })),
  }
}

function resultOf({ statusCode, body }: Record<string, unknown>): Result {
  if (statusCode === 200) return body as Result
  const { code } = (body ?? {}) as { code?: string }
  if (code === undefined || code === 'internal-error') throw new Error(`answered ${String(statusCode)}`)
  throw new CodedError('The function has answered with a problem.', { code })
}
