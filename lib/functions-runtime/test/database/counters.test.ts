import { describe, expect, it } from 'vitest'
import { createCounters } from '../../src/telemetry/counters.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { inject } from 'vitest'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

const read = ({ service }: ServiceUnderTest) => service.execute('look', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
const write = ({ service }: ServiceUnderTest) =>
  service.execute('note', ({ query }) =>
    query(
      "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', gen_random_uuid()::text, 't', now())",
    ),
  )
const stored = ({ database }: ServiceUnderTest) =>
  database.query(
    "SELECT name, label, outcome, count::int FROM operation_counters WHERE minute = 'infinity' AND function = 'subject' ORDER BY 1, 2, 3",
  )
const flushesOf = ({ proxy }: ServiceUnderTest) => proxy.statementFlights().filter(flight => flight.some(text => text.includes('operation_counters')))

describe('what a container counts', () => {
  it('reaches the fleet behind statements that are sent anyway, without a trip', async () => {
    const tripsOf = async (flush: boolean) => {
      let trips = 0
      await withService(
        async subject => {
          for (let call = 0; call < 5; call += 1) {
            await read(subject)
            await write(subject)
            subject.passTime(4_000)
          }
          trips = subject.proxy.counts().roundTrips
          if (!flush) return
          expect(flushesOf(subject).length).toBeGreaterThan(1)
          // Behind a transaction's end, or behind a read, which ends its own.
          for (const flight of flushesOf(subject)) expect(['COMMIT', 'SELECT 1 AS one']).toContain(flight.at(-2))
          // The last ones are still to be sent.
          expect(await stored(subject)).toMatchObject([
            { name: 'operations', label: 'look', outcome: 'ok' },
            { name: 'operations', label: 'note', outcome: 'ok' },
          ])
        },
        { flush },
      )
      return trips
    }
    expect(await tripsOf(true)).toBe(await tripsOf(false))
  })

  it('is added up over containers, by the minute and for all time', async () => {
    await withService(
      async subject => {
        for (let round = 0; round < 3; round += 1) {
          subject.service.counters.add('fallbacks', 'mail')
          subject.passTime(11_000)
          await read(subject)
          await read(subject)
        }
        await expect.poll(() => stored(subject)).toContainEqual({ name: 'fallbacks', label: 'mail', outcome: '', count: 3 })
        const [minutes] = await subject.database.query<{ sum: number }>(
          "SELECT sum(count)::int FROM operation_counters WHERE minute < 'infinity' AND name = 'fallbacks'",
        )
        expect(minutes).toEqual({ sum: 3 })
      },
      { flush: true },
    )
  })

  it('is kept for later, and the work goes on, when the table is missing, locked or not to be written', async () => {
    await withService(
      async subject => {
        const { database, service, passTime, lines } = subject
        const unsent = () => lines.filter(({ event }) => event === 'counters.unsent').map(({ code }) => code)
        service.counters.add('fallbacks', 'mail')
        await database.query('ALTER TABLE operation_counters RENAME TO hidden')
        await read(subject)
        await expect.poll(unsent).toEqual(['42P01'])
        await database.query('ALTER TABLE hidden RENAME TO operation_counters')
        passTime(61_000)
        await database.query('BEGIN')
        await database.query('LOCK TABLE operation_counters IN ACCESS EXCLUSIVE MODE')
        await read(subject)
        // Whoever comes next waits for the lock a fifth of a second at most.
        await read(subject)
        await expect.poll(unsent).toEqual(['42P01', '57014'])
        await database.query('COMMIT')
        passTime(61_000)
        await read(subject)
        await expect.poll(() => stored(subject)).toContainEqual({ name: 'fallbacks', label: 'mail', outcome: '', count: 1 })
        expect(unsent()).toHaveLength(2)
        expect(subject.proxy.counts().connections).toBe(1)
      },
      { flush: true },
    )
  })

  it.skipIf(!hasPgBouncer())('reaches the fleet through a pooler', async () => {
    const pooler = await startPgBouncer({ server: inject('postgres') })
    await withService(
      async subject => {
        try {
          await write(subject)
          subject.passTime(11_000)
          await write(subject)
          await expect.poll(() => stored(subject)).toMatchObject([{ name: 'operations', label: 'note', outcome: 'ok', count: 1 }])
        } finally {
          // It keeps sessions of its own, which the database could not be dropped with.
          await subject.manager.gracefulShutdown()
          await pooler.stop('now')
        }
      },
      { flush: true, settings: { host: pooler.host, port: pooler.port, tls: { mode: 'off' }, pooled: true } },
    )
  })

  it('is taken once, and again when it is given back', () => {
    const counters = createCounters()
    counters.add('retries', 'a')
    counters.add('retries', 'a')
    const taken = counters.take()
    expect(taken).toEqual([{ name: 'retries', label: 'a', outcome: '', count: 2 }])
    counters.add('retries', 'a')
    counters.giveBack(taken)
    expect(counters.take()).toEqual([{ name: 'retries', label: 'a', outcome: '', count: 3 }])
    expect(counters.get('retries', 'a')).toBe(3)
    expect(counters.take()).toEqual([])
  })
})
