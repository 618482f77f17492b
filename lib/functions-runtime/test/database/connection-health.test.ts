import { describe, expect, it } from 'vitest'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { runInvocation } from '../../../invocation/src/invocation-scope.ts'
import type { DatabaseService } from '../../src/database/service.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'

// What is said of a database by those who look at it, and what they leave alone.

const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })
const look = (service: DatabaseService, remainingMs: number) =>
  service.execute('look', ({ query }) => query('SELECT 1 AS one'), { mode: 'read', deadline: within(remainingMs) })
const poolOf = (max: number) => ({ max, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 })

describe('the background check', () => {
  it('outlives the invocation that happened to come first', async () => {
    await withService(
      async ({ proxy, service, lines }) => {
        const deadline = within(60_000)
        await runInvocation(() =>
          runWithDeadline(deadline, () => service.execute('first', ({ query }) => query('SELECT 2 AS two'), { mode: 'read' })),
        )
        deadline.end()
        const checks = () =>
          proxy
            .statementFlights()
            .flat()
            .filter(statement => statement === 'SELECT 1').length
        await expect.poll(checks).toBeGreaterThan(2)
        expect(proxy.counts().connections).toBe(1)
        expect(lines.filter(({ event }) => event === 'database.connection.lost')).toEqual([])
      },
      { profile: { background: { checkEveryMs: 20, attempts: 1, firstDelayMs: 20, longestDelayMs: 20 } } },
    )
  })
})

describe('a wait for a connection', () => {
  it('that was too short to tell anything is no outage', async () => {
    await withService(async ({ proxy, manager, service }) => {
      proxy.addFault({ on: 'connect', when: 'tls', action: { delayMs: 1_000 }, times: 10 })
      for (let call = 0; call < 2; call += 1) await expect(look(service, 200)).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(manager.breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
    })
  })

  it('behind nobody but an attempt that was given up is no queue', async () => {
    await withService(async ({ proxy, manager, service }) => {
      proxy.addFault({ on: 'connect', when: 'accept', action: 'silence', times: 10 })
      await expect(look(service, 200)).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect((await manager.currentGeneration()).claimed).toBe(0)
      await expect(look(service, 100)).rejects.toMatchObject({ code: 'deadline-exceeded' })
      // Once the attempt itself has failed, too.
      const generation = await manager.currentGeneration()
      await expect.poll(() => generation.counts().waiting, { timeout: 5_000 }).toBe(0)
      expect(generation.claimed).toBe(0)
    })
  })

  it('that was given up leaves nothing claimed when the connection arrives all the same', async () => {
    await withService(async ({ proxy, manager, service }) => {
      const stop = new AbortController()
      const connecting = proxy.addFault({ on: 'connect', when: 'tls', action: { delayMs: 200 } })
      const acquiring = manager.acquire(stop.signal)
      await connecting.firstFired
      stop.abort(new Error('enough'))
      await expect(acquiring).rejects.toThrow('enough')
      const generation = await manager.currentGeneration()
      expect(generation.claimed).toBe(0)
      await expect.poll(() => generation.counts()).toMatchObject({ idle: 1 })
      expect(await look(service, 2_000)).toEqual([{ one: 1 }])
      expect(generation.claimed).toBe(0)
    })
  })
})

describe('connect()', () => {
  it('that finds one connection dead spares those that others are using', async () => {
    await withService(
      async ({ proxy, manager, service }) => {
        const [one, other] = [await manager.acquire(), await manager.acquire()]
        other.release()
        proxy.addFault({ on: 'statement', matches: 'SELECT 1', when: 'before', action: 'reset' })
        await manager.connect()
        expect(manager.getConnectionStatus()).toMatchObject({ state: 'ready', generation: 1 })
        await expect(one.connection.sendRaw('SELECT 2 AS two')).resolves.toMatchObject({ rows: [{ two: 2 }] })
        one.release()
        expect(await look(service, 2_000)).toEqual([{ one: 1 }])
      },
      { profile: { pool: poolOf(2) } },
    )
  })
})

describe('a pool whose connections are all at work', () => {
  it('is no lost database', async () => {
    await withService(async ({ manager }) => {
      const lease = await manager.acquire()
      expect(await manager.isConnectionHealthy(100)).toBe(true)
      lease.release()
    })
  })

  it('is lost while the breaker is open: nobody gets through', async () => {
    await withService(async ({ manager }) => {
      const lease = await manager.acquire()
      for (let outage = 0; outage < 2; outage += 1) manager.breaker.settleOutage(manager.breaker.state.epoch)
      expect(await manager.isConnectionHealthy(100)).toBe(false)
      lease.release()
    })
  })

  it('is lost when the database cannot be reached', async () => {
    await withService(async ({ proxy, manager }) => {
      proxy.addFault({ on: 'connect', when: 'accept', action: 'silence', times: 10 })
      expect(await manager.isConnectionHealthy(100)).toBe(false)
      expect(await manager.isConnectionHealthy(100)).toBe(false)
    })
  })
})
