import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { settingsThrough } from '../../src/proxy/client.ts'
import { startProxyInChild, type ProxyInChild } from '../../src/proxy/proxy-in-child.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(): Promise<ProxyInChild> {
  const proxy = await startProxyInChild({ target: server })
  cleanUps.push(() => proxy.stop())
  return proxy
}

async function connected(proxy: ProxyInChild): Promise<pg.Client> {
  const client = new pg.Client(settingsThrough(proxy, server))
  client.on('error', () => {})
  return client.connect()
}

describe('a proxy in a child process', () => {
  test('counts, logs and injects faults as one in this process does', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    const fault = await proxy.addFault({ on: 'statement', matches: /^SELECT/i, when: 'after', action: 'reset', times: Infinity })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await fault.firstFired
    expect(await fault.fired()).toBe(1)
    expect(await proxy.counts()).toMatchObject({ connections: 1, roundTrips: 5, statements: 1 })
    expect(await proxy.statementFlights()).toEqual([['select 1']])
    await fault.remove()
    const second = await connected(proxy)
    await second.query('select 2')
    await second.end()
  })

  test('goes on while this process is blocked', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    const answer = client.query<{ executed: Date }>('SELECT clock_timestamp() AS executed')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    const blockedUntil = new Date()
    const { rows } = await answer
    expect(rows[0]?.executed.getTime()).toBeLessThan(blockedUntil.getTime())
    await client.end()
  })

  test('ends when its parent lets go of it, and then answers nothing more', async () => {
    const proxy = await start()
    const fault = await proxy.addFault({ on: 'connect', when: 'accept', action: 'reset' })
    await proxy.stop()
    expect(isAlive(proxy.pid)).toBe(false)
    await expect(connected(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(proxy.counts()).rejects.toMatchObject({ code: 'ERR_IPC_CHANNEL_CLOSED' })
    await expect(fault.firstFired).rejects.toThrow('The process of the proxy has ended')
  })

  test('reports what kept it from starting', async () => {
    const certificates = { authority: '', certificate: 'no certificate', key: 'no key' }
    await expect(startProxyInChild({ target: server, certificates })).rejects.toThrow(/PEM/i)
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
