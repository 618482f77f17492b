import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { settingsThrough } from '../../src/proxy/client.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(): Promise<Proxy> {
  const proxy = await startProxy({ target: server })
  cleanUps.push(() => proxy.stop())
  return proxy
}

async function connect(proxy: Proxy): Promise<pg.Client> {
  const client = new pg.Client(settingsThrough(proxy, server))
  client.on('error', () => {})
  return client.connect()
}

/** `ok`, or the code or message of the error. */
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

describe('a fault while connecting', () => {
  test.each([
    ['accept', 'reset', 'ECONNRESET'],
    ['accept', 'close', 'Connection terminated unexpectedly'],
    ['tls', 'reset', 'ECONNRESET'],
    ['tls', 'close', 'Connection terminated unexpectedly'],
    ['startup', 'reset', 'ECONNRESET'],
    ['startup', 'close', 'Connection terminated unexpectedly'],
  ] as const)('at %s by %s fails one connection and not the next', async (when, action, code) => {
    const proxy = await start()
    const fault = proxy.addFault({ on: 'connect', when, action })
    expect(await outcomeOf(connect(proxy))).toBe(code)
    expect(fault.fired()).toBe(1)
    const client = await connect(proxy)
    expect(proxy.counts()).toMatchObject(when === 'accept' ? { connections: 1, refusedConnections: 1 } : { connections: 2, refusedConnections: 0 })
    await expect.poll(() => proxy.counts().open).toBe(1)
    await client.end()
  })

  test.each(['accept', 'tls', 'startup'] as const)('at %s by silence leaves the client waiting', async when => {
    const proxy = await start()
    const fault = proxy.addFault({ on: 'connect', when, action: 'silence' })
    const outcome = outcomeOf(connect(proxy))
    await fault.firstFired
    await (await connect(proxy)).end()
    await expect.poll(() => proxy.counts().open).toBe(1)
    const sent =
      proxy
        .log()
        .find(({ connection }) => connection === 1)
        ?.flights.flat() ?? []
    expect(sent.at(-1)?.type).toBe({ accept: undefined, tls: 'SSLRequest', startup: 'StartupMessage' }[when])
    await proxy.stop()
    expect(await outcome).not.toBe('ok')
  })

  test.each(['accept', 'tls', 'startup'] as const)('at %s by a delay lets the client in later', async when => {
    const proxy = await start()
    const fault = proxy.addFault({ on: 'connect', when, action: { delayMs: 20 } })
    await (await connect(proxy)).end()
    expect(fault.fired()).toBe(1)
  })

  test.each([
    ['53300', 'sorry, too many clients already'],
    ['57P03', 'the database system is starting up'],
    ['08P01', 'no more connections allowed (max_client_conn)'],
  ])('at startup by error %s answers in the place of the server', async (code, message) => {
    const proxy = await start()
    proxy.addFault({ on: 'connect', when: 'startup', action: { error: { code, message } } })
    await expect(connect(proxy)).rejects.toMatchObject({ severity: 'FATAL', code, message })
    expect(proxy.counts()).toMatchObject({ connections: 1, roundTrips: 3 })
    await expect.poll(() => proxy.counts().open).toBe(0)
  })
})
