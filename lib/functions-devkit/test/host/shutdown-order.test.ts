import { Agent } from 'node:http'
import { describe, expect, test } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { withHost, type HostProcess } from '../support/host/host-process.ts'
import { mixedRequest, sendTo, startLoad, type SentRequest } from '../support/host/load.ts'
import { startProxy, type Proxy } from '../../../postgres-faults/src/proxy/proxy.ts'

const [, users, health] = [mixedRequest(0), mixedRequest(1), mixedRequest(2)] as [SentRequest, SentRequest, SentRequest]
const readiness: SentRequest = { ...health, path: '/health/ready' }
const isEnding = ({ event }: Record<string, unknown>) => event === 'host.ending'
const stepsOf = (host: HostProcess) => host.lines().flatMap(({ event, step }) => (event === 'host.step.ended' ? [step] : []))

/** A host whose way to the database leads through a proxy, and a person who keeps a table to himself. */
async function withStage(
  variables: Record<string, string>,
  work: (stage: { host: HostProcess; proxy: Proxy; lock(): Promise<void>; unlock(): Promise<void> }) => Promise<void>,
): Promise<void> {
  await withDatabase(async database => {
    const { host: address, port } = database.connectionSettings
    const proxy = await startProxy({ target: { host: address, port } })
    const lock = async () => void (await database.query('BEGIN; LOCK TABLE users'))
    const unlock = async () => void (await database.query('COMMIT'))
    try {
      const through = { DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority, ...variables }
      await withHost(database, host => work({ host, proxy, lock, unlock }), { variables: through })
    } finally {
      await proxy.stop()
    }
  })
}

/** Resolves when the host waits for the table. */
async function untilItWaits(proxy: Proxy, before: number): Promise<void> {
  while (proxy.statementFlights().flat().length <= before) await new Promise(resolve => setTimeout(resolve, 5))
}

describe('the end of the host', () => {
  test('is in order, in the log and on the wire: readiness, requests, schedules, database', async () => {
    await withStage({ SHUTDOWN_GRACE_MS: '600', SHUTDOWN_REQUESTS_MS: '6000' }, async ({ host, proxy, lock, unlock }) => {
      await host.logs(({ event }) => event === 'schedule.fired')
      const load = startLoad(() => [host.port], { perSecond: 50 })
      await sendTo(host.port, users)
      await lock()
      const before = proxy.statementFlights().flat().length
      const slow = sendTo(host.port, users)
      await untilItWaits(proxy, before)

      host.kill('SIGTERM')
      await host.logs(isEnding)
      expect(await sendTo(host.port, readiness)).toMatchObject({ fate: 'answered', status: 503, body: '{"status":"fail"}', connection: 'close' })
      // It still takes requests, and asks each client to go.
      const agent = new Agent({ keepAlive: true })
      expect(await sendTo(host.port, health, agent)).toMatchObject({ fate: 'answered', status: 200, connection: 'close' })
      const stopped = load.stop()
      while ((await sendTo(host.port, health)).fate !== 'refused') await new Promise(resolve => setTimeout(resolve, 20))
      // Nobody gets in any more; the one that waits keeps its way to the database.
      expect(proxy.counts().open).toBeGreaterThan(0)
      expect(stepsOf(host)).toEqual(['grace', 'schedules'])
      await unlock()
      expect(await slow).toMatchObject({ fate: 'answered', status: 200, connection: 'close' })
      await stopped
      expect((await Promise.all(load.sent.map(({ fate }) => fate))).map(met => (met.fate === 'answered' ? met.status : met))).toEqual(
        load.sent.map(() => 200),
      )
      expect(await host.ends()).toEqual({ code: 0, signal: null })

      expect(stepsOf(host)).toEqual(['grace', 'schedules', 'requests', 'scheduled calls', 'database', 'files'])
      const names = host.lines().map(({ event }) => event)
      const lastAnswer = names.lastIndexOf('invocation.completed')
      expect(names.indexOf('host.ending')).toBeLessThan(lastAnswer)
      expect(lastAnswer).toBeLessThan(names.indexOf('database.closed'))
      expect(names.at(-1)).toBe('host.ended')
      // Each connection was ended in the protocol's own words, not dropped.
      expect(proxy.counts().open).toBe(0)
      expect(proxy.log().map(({ flights }) => flights.at(-1)?.at(-1)?.type)).toEqual(proxy.log().map(() => 'Terminate'))
    })
  })

  test('cuts what does not end in its time, and is an end all the same', async () => {
    await withStage({ SHUTDOWN_REQUESTS_MS: '700' }, async ({ host, proxy, lock, unlock }) => {
      await sendTo(host.port, users)
      await lock()
      const before = proxy.statementFlights().flat().length
      const slow = sendTo(host.port, users)
      await untilItWaits(proxy, before)
      host.kill('SIGTERM')
      expect(await host.ends()).toEqual({ code: 0, signal: null })
      expect(await slow).toMatchObject({ fate: 'lost' })
      expect(host.lines()).toContainEqual(expect.objectContaining({ event: 'host.requests.cut', connections: 1 }))
      await unlock()
    })
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('comes at once at a second %s, with a code of its own', async (signal, code) => {
    await withStage({ SHUTDOWN_GRACE_MS: '60000' }, async ({ host }) => {
      host.kill(signal)
      await host.logs(isEnding)
      host.kill(signal)
      expect(await host.ends()).toEqual({ code, signal: null })
    })
  })
})
