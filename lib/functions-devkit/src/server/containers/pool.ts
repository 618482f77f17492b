import { type CallEnd } from '../platform/response.ts'
import { type Container, type ContainerCall } from './container.ts'

/** What a pool needs of a container. */
export type PooledContainer = Pick<Container, 'initMs' | 'run' | 'isUsable' | 'pause' | 'destroy'>

/** How the containers of one version are started. */
export interface Version {
  start(): Promise<PooledContainer>
}

export interface PoolOptions {
  /** Containers at a time. */
  readonly max: number
  /** Calls at a time, those that wait for a container included. One more is refused. */
  readonly maxCalls: number
  /** How long an idle container runs on before it is paused. */
  readonly pauseAfterMs: number
  /** How long after that it is destroyed. */
  readonly destroyAfterMs: number
}

/** The containers of one function. */
export interface ContainerPool {
  /** Ends as the platform sees it: in a warm container, else in a new one, else in the first that is free. Never rejects. */
  call(call: ContainerCall): Promise<CallEnd>
  /**
   * Takes another version, with a container of it that is started already; those of the version before are destroyed, each when its
   * call has ended. Resolves when they are gone.
   */
  use(version: Version, started: PooledContainer): Promise<void>
  /** Starts no container until `use` or `resume`, and destroys those there are, each when its call has ended. Resolves when they are gone. */
  hold(): Promise<void>
  resume(): void
  /** Destroys all containers; later calls are discarded. */
  shutdown(options: { readonly waitForCalls: boolean }): Promise<void>
}

interface Member {
  readonly generation: number
  readonly container: PooledContainer
  timer?: NodeJS.Timeout
}

interface Waiting {
  readonly call: ContainerCall
  readonly end: (end: CallEnd) => void
}

const ENDING: CallEnd = { end: 'discarded', reason: 'was not called: the server is ending' }

/** Makes an empty pool; it takes calls once it has a version. */
export function createContainerPool({ max, maxCalls, pauseAfterMs, destroyAfterMs }: PoolOptions): ContainerPool {
  const waiting: Waiting[] = []
  // The most recently used one is last.
  const idle: Member[] = []
  const busy = new Set<Member>()
  const running = new Set<Promise<void>>()
  // Each with its generation.
  const starting = new Map<Promise<void>, number>()
  const destroying = new Map<Promise<void>, number>()
  let version: Version | undefined
  let generation = 0
  let held = false
  let ended = false

  const size = () => idle.length + busy.size + starting.size
  const underWay = () => [...starting.values()].filter(of => of === generation).length

  function dispatch(): void {
    while (waiting.length > 0 && idle.length > 0) serve(idle.pop() as Member, waiting.shift() as Waiting, 0)
    // Each call that waits has a container under way, as far as there may be so many.
    while (underWay() < waiting.length && size() < max && version !== undefined && !held && !ended) start(version, generation)
  }

  function start(started: Version, of: number): void {
    const start: Promise<void> = started.start().then(
      container => {
        starting.delete(start)
        const first = of === generation && !ended ? waiting.shift() : undefined
        // The call that a cold start is for has spent that time.
        if (first !== undefined) serve({ generation: of, container }, first, container.initMs)
        else release({ generation: of, container })
        dispatch()
      },
      (error: unknown) => {
        starting.delete(start)
        const reason = `was not started: ${error instanceof Error ? error.message : String(error)}`
        if (of === generation) waiting.shift()?.end({ end: 'discarded', reason })
        dispatch()
      },
    )
    starting.set(start, of)
  }

  function serve(member: Member, { call, end }: Waiting, spentMs: number): void {
    clearTimeout(member.timer)
    busy.add(member)
    const run: Promise<void> = member.container.run({ ...call, spentMs }).then(result => {
      running.delete(run)
      busy.delete(member)
      release(member)
      end(result)
      dispatch()
    })
    running.add(run)
  }

  /** Keeps a container for the next call, unless it is of no use any more. */
  function release(member: Member): void {
    if (ended || member.generation !== generation || !member.container.isUsable()) return destroy(member)
    idle.push(member)
    member.timer = later(pauseAfterMs, () => {
      member.container.pause()
      member.timer = later(destroyAfterMs, () => {
        idle.splice(idle.indexOf(member), 1)
        destroy(member)
      })
    })
  }

  function destroy({ generation: of, container, timer }: Member): void {
    clearTimeout(timer)
    const gone: Promise<void> = container.destroy().finally(() => destroying.delete(gone))
    destroying.set(gone, of)
  }

  /** Destroys every container of the generations so far, each when its call has ended; resolves when they are gone. */
  async function retire(): Promise<void> {
    const mine = (generation += 1)
    for (const member of idle.splice(0)) destroy(member)
    const generations = () => [...[...busy].map(one => one.generation), ...starting.values(), ...destroying.values()]
    while (generations().some(one => one < mine)) await Promise.race([...running, ...starting.keys(), ...destroying.keys()])
  }

  return {
    call(call) {
      if (ended) return Promise.resolve(ENDING)
      const calls = busy.size + waiting.length
      if (calls >= maxCalls) {
        const reason = `Too many concurrent requests in flight (count: ${calls + 1}, allowed: ${maxCalls}).`
        return Promise.resolve({ end: 'refused', status: 429, reason })
      }
      return new Promise(end => {
        waiting.push({ call, end })
        dispatch()
      })
    },
    async use(next, started) {
      version = next
      held = false
      const retired = retire()
      release({ generation, container: started })
      dispatch()
      await retired
    },
    hold() {
      held = true
      return retire()
    },
    resume() {
      held = false
      dispatch()
    },
    async shutdown({ waitForCalls }) {
      ended = true
      for (const { end } of waiting.splice(0)) end(ENDING)
      for (const member of idle.splice(0)) destroy(member)
      if (!waitForCalls) for (const member of busy) destroy(member)
      await Promise.all([...running, ...starting.keys()])
      await Promise.all(destroying.keys())
    },
  }
}

function later(ms: number, action: () => void): NodeJS.Timeout {
  // setTimeout takes what does not fit into 32 bits for 1 ms.
  return setTimeout(action, Math.min(ms, 2 ** 31 - 1)).unref()
}
