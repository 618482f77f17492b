import { afterEach, describe, expect, test, vi } from 'vitest'
import { createContainerPool, type PooledContainer, type PoolOptions, type Version } from '../../../src/server/containers/pool.ts'
import { createContext } from '../../../src/server/platform/context.ts'
import { type CallEnd } from '../../../src/server/platform/response.ts'

afterEach(() => void vi.useRealTimers())

const LIMITS: PoolOptions = { max: 2, maxCalls: 4, pauseAfterMs: 50, destroyAfterMs: 1_000 }

/** A version whose containers do what the test says. */
class Fakes implements Version {
  readonly containers: Fake[] = []
  readonly starts: (() => void)[] = []
  readonly name: string
  failing = false
  constructor(name: string) {
    this.name = name
  }
  async start(): Promise<Fake> {
    await new Promise<void>(resolve => this.starts.push(resolve))
    if (this.failing) throw new Error('no')
    return this.made()
  }
  made(): Fake {
    const fake = new Fake(`${this.name}${this.containers.length}`)
    this.containers.push(fake)
    return fake
  }
}

class Fake implements PooledContainer {
  readonly initMs = 300
  readonly log: string[] = []
  usable = true
  readonly name: string
  finish: (end?: CallEnd) => void = () => {}
  spentMs: number | undefined
  constructor(name: string) {
    this.name = name
  }
  async run({ event, spentMs }: Parameters<PooledContainer['run']>[0]): Promise<CallEnd> {
    this.log.push(`run ${String(event.n)}`)
    this.spentMs = spentMs
    return new Promise(resolve => (this.finish = (end = { end: 'result', result: { by: this.name } }) => resolve(end)))
  }
  isUsable = () => this.usable
  pause = () => void this.log.push('pause')
  destroy = async () => void this.log.push('destroy')
}

function setUp(options: Partial<PoolOptions> = {}) {
  const pool = createContainerPool({ ...LIMITS, ...options })
  const version = new Fakes('a')
  const first = version.made()
  void pool.use(version, first)
  const call = (n: number) => pool.call({ event: { n }, context: createContext({ qualifiedName: 'api/user', timeoutMs: 1_000, apiHost: '' }) })
  return { pool, version, first, call }
}

const settle = () => new Promise(resolve => setImmediate(resolve))
const by = (name: string) => ({ end: 'result', result: { by: name } })

describe('a pool of containers', () => {
  test('calls in the container that was started ahead, at no cost of the call', async () => {
    const { call, version, first } = setUp()
    const ended = call(1)
    first.finish()
    expect(await ended).toEqual(by('a0'))
    expect(first.spentMs).toBe(0)
    expect(version.starts).toEqual([])
  })

  test('starts another for a call that finds none idle, and charges the start', async () => {
    const { call, version } = setUp()
    void call(1)
    const second = call(2)
    version.starts[0]?.()
    await settle()
    version.containers[1]?.finish()
    expect(await second).toEqual(by('a1'))
    expect(version.containers[1]?.spentMs).toBe(300)
  })

  test('takes the most recently used one first', async () => {
    const { call, version, first } = setUp()
    void call(1)
    void call(2)
    version.starts[0]?.()
    await settle()
    version.containers[1]?.finish()
    await settle()
    first.finish()
    await settle()
    void call(3)
    expect(first.log).toEqual(['run 1', 'run 3'])
  })

  test('lets calls over the number of containers wait in order', async () => {
    const { call, version, first } = setUp()
    const calls = [1, 2, 3, 4].map(call)
    version.starts[0]?.()
    await settle()
    first.finish()
    await calls[0]
    first.finish()
    await calls[2]
    expect(first.log).toEqual(['run 1', 'run 3', 'run 4'])
    expect(version.starts).toHaveLength(1)
  })

  test('refuses a call over the limit as the platform does', async () => {
    const { call } = setUp()
    for (const n of [1, 2, 3, 4]) void call(n)
    expect(await call(5)).toEqual({ end: 'refused', status: 429, reason: 'Too many concurrent requests in flight (count: 5, allowed: 4).' })
  })

  test('fails one call for each start that fails', async () => {
    const { call, version, first } = setUp()
    void call(1)
    const second = call(2)
    version.failing = true
    version.starts[0]?.()
    expect(await second).toEqual({ end: 'discarded', reason: 'was not started: no' })
    const third = call(3)
    first.finish()
    await settle()
    first.finish()
    expect(await third).toEqual(by('a0'))
  })

  test('does not keep a container that a call has broken', async () => {
    const { call, version, first } = setUp()
    const ended = call(1)
    first.usable = false
    first.finish({ end: 'discarded', reason: 'exited' })
    expect(await ended).toEqual({ end: 'discarded', reason: 'exited' })
    void call(2)
    expect(first.log).toEqual(['run 1', 'destroy'])
    expect(version.starts).toHaveLength(1)
  })

  test('pauses an idle container and destroys it later', async () => {
    vi.useFakeTimers()
    const { first, call, version } = setUp()
    vi.advanceTimersByTime(49)
    expect(first.log).toEqual([])
    vi.advanceTimersByTime(1)
    expect(first.log).toEqual(['pause'])
    vi.advanceTimersByTime(999)
    expect(first.log).toEqual(['pause'])
    vi.advanceTimersByTime(1)
    expect(first.log).toEqual(['pause', 'destroy'])
    void call(1)
    expect(version.starts).toHaveLength(1)
  })

  test('neither pauses nor destroys a container during its call', async () => {
    vi.useFakeTimers()
    const { first, call } = setUp()
    void call(1)
    vi.advanceTimersByTime(10_000)
    expect(first.log).toEqual(['run 1'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a new version', () => {
  test('takes all later calls; the old containers end with their calls', async () => {
    const { pool, call, first } = setUp()
    const old = call(1)
    const next = new Fakes('b')
    let gone = false
    const retired = pool.use(next, next.made()).then(() => (gone = true))
    const fresh = call(2)
    next.containers[0]?.finish()
    expect(await fresh).toEqual(by('b0'))
    expect([first.log, gone]).toEqual([['run 1'], false])
    first.finish()
    expect(await old).toEqual(by('a0'))
    await retired
    expect(first.log).toEqual(['run 1', 'destroy'])
  })

  test('destroys idle containers and those that are still starting', async () => {
    const { pool, call, version, first } = setUp()
    void call(1)
    const waits = call(2)
    first.finish()
    await settle()
    first.finish()
    await waits
    const next = new Fakes('b')
    const retired = pool.use(next, next.made())
    version.starts[0]?.()
    await retired
    expect(version.containers.map(({ log }) => log.at(-1))).toEqual(['destroy', 'destroy'])
  })

  test('fails no call because of a start of the version before', async () => {
    const { pool, call, version } = setUp()
    void call(1)
    const waits = call(2)
    const next = new Fakes('b')
    void pool.use(next, next.made())
    version.failing = true
    version.starts[0]?.()
    await settle()
    next.containers[0]?.finish()
    expect(await waits).toEqual(by('b0'))
  })
})

describe('the end of a pool', () => {
  test('waits for running calls and discards those that wait and come', async () => {
    const { pool, call, first } = setUp({ max: 1 })
    const [running, waits] = [call(1), call(2)]
    const ended = pool.shutdown({ waitForCalls: true })
    const ending = { end: 'discarded', reason: 'was not called: the server is ending' }
    expect([await waits, await call(3)]).toEqual([ending, ending])
    first.finish()
    await ended
    expect(await running).toEqual(by('a0'))
    expect(first.log).toEqual(['run 1', 'destroy'])
  })

  test('destroys what runs unless it waits', async () => {
    const { pool, call, first } = setUp()
    const running = call(1)
    const ended = pool.shutdown({ waitForCalls: false })
    expect(first.log).toEqual(['run 1', 'destroy'])
    first.finish({ end: 'discarded', reason: 'exited' })
    await ended
    expect((await running).end).toBe('discarded')
  })
})
