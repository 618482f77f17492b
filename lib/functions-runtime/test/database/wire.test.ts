import { describe, expect, it } from 'vitest'
import type { DatabaseService, Work } from '../../src/database/service.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'

const insert = ({ query }: Work) =>
  query(
    "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', gen_random_uuid()::text, 't', now())",
  )
const select = ({ query }: Work) => query('SELECT 1 AS one')
const read = (service: DatabaseService) => service.execute('read', select, { mode: 'read' })
const write = (service: DatabaseService) => service.execute('write', insert)
const short = (flights: string[][]) => flights.map(flight => flight.map(text => text.replace(/\d+$/, 'N').split(/ (?:WHERE|FROM|\(|AS) ?|::| \(/)[0]))

const BEGIN = 'START TRANSACTION; SET LOCAL statement_timeout = N'
const SETTINGS = "SELECT set_config('transaction_read_only', $1, true), set_config('statement_timeout', $2, true), pg_backend_pid()"
const IDENTITY = 'SELECT pg_current_xact_id_if_assigned()'
const DURABLE = "SELECT set_config('synchronous_commit', 'on', true)"

describe('on the wire', () => {
  it('a first read costs one connection and no trip but the connecting and its own', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      // TLS asked for, TLS, three for the log-in, and the read.
      expect(proxy.counts()).toMatchObject({ connections: 1, roundTrips: 6 })
      expect(proxy.statementFlights()).toHaveLength(1)
    })
  })

  it('with direct TLS it is one trip less', async () => {
    await withService(
      async ({ proxy, service }) => {
        await read(service)
        expect(proxy.counts()).toMatchObject({ connections: 1, roundTrips: 5 })
        expect(proxy.statementFlights()).toHaveLength(1)
      },
      { variables: { DB_TLS_NEGOTIATION: 'direct' } },
    )
  })

  it('a warm read is one trip', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      proxy.resetCounts()
      await read(service)
      expect(proxy.counts()).toMatchObject({ connections: 0, roundTrips: 1 })
      expect(short(proxy.statementFlights())).toEqual([[SETTINGS, 'SELECT 1']])
    })
  })

  it('a read that writes in disguise is refused by the server, and leaves nothing set for what comes next', async () => {
    await withService(async ({ service, manager, database }) => {
      const gone = ({ query }: Work) => query('WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone WHERE id::text <> $id', { id: '' })
      for (let call = 0; call < 3; call += 1) {
        await expect(service.execute('gone', gone, { mode: 'read' })).rejects.toMatchObject({ code: 'nested-operation' })
        await read(service)
      }
      const text = "SELECT current_setting('transaction_read_only') AS only, current_setting('statement_timeout') AS bound"
      const lease = await manager.acquire()
      expect(await lease.connection.sendRaw(text)).toMatchObject({ rows: [{ only: 'off', bound: '0' }] })
      lease.release()
      await write(service)
      expect(await database.query('SELECT type FROM webhook_events')).toHaveLength(1)
    })
  })

  it('reads of one work that are sent at once stand by themselves: one that fails takes none of the others with it', async () => {
    await withService(async ({ service, proxy }) => {
      await read(service)
      proxy.resetCounts()
      const outcomes = await service.execute(
        'several',
        ({ query }) => Promise.all(['1', 'none', '3'].map(number => query('SELECT $number::int AS number', { number }).catch(() => 'refused'))),
        { mode: 'read' },
      )
      expect(outcomes).toEqual([[{ number: 1 }], 'refused', [{ number: 3 }]])
      expect(proxy.counts().roundTrips).toBe(1)
    })
  })

  it('of a transaction that writes, what stays the same for its session is asked for once', async () => {
    await withService(async ({ service, proxy }) => {
      await write(service)
      await write(service)
      proxy.resetCounts()
      await write(service)
      expect(
        proxy
          .statementFlights()
          .flat()
          .filter(text => text.includes('pg_current_xact_id')),
      ).toHaveLength(1)
      expect(
        proxy
          .statementFlights()
          .flat()
          .filter(text => text.includes('pg_control_checkpoint')),
      ).toEqual([])
    })
  })

  it('a COMMIT whose answer is lost is proven by what was asked of its session before', async () => {
    await withService(async ({ service, proxy, database, lines }) => {
      for (let call = 0; call < 3; call += 1) await write(service)
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
      await write(service)
      expect(lines).toContainEqual(expect.objectContaining({ event: 'database.commit.resolved', outcome: 'committed' }))
      expect(await database.query('SELECT type FROM webhook_events')).toHaveLength(4)
    })
  })

  it('a warm transaction of one write is two round trips', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      proxy.resetCounts()
      await write(service)
      expect(proxy.counts().roundTrips).toBe(2)
      expect(short(proxy.statementFlights())).toEqual([
        [BEGIN, 'INSERT INTO webhook_events', IDENTITY],
        [DURABLE, 'COMMIT'],
      ])
    })
  })

  it('the identity is asked for until the first write has been given one, and then no more', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      proxy.resetCounts()
      await service.execute('mixed', async work => {
        await select(work)
        await insert(work)
        await insert(work)
      })
      expect(short(proxy.statementFlights())).toEqual([
        [BEGIN, 'SELECT 1', IDENTITY],
        ['INSERT INTO webhook_events', IDENTITY],
        ['INSERT INTO webhook_events'],
        [DURABLE, 'COMMIT'],
      ])
    })
  })

  it('a unit of work that asks nothing sends nothing', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      proxy.resetCounts()
      await service.execute('nothing', async () => undefined)
      expect(proxy.counts()).toMatchObject({ roundTrips: 0, statements: 0 })
    })
  })

  it.each([6_000, 600_000, -60_000])('a connection that was idle for %i ms proves itself by the first flight of the work', async ms => {
    await withService(async ({ proxy, service, passTime }) => {
      await write(service)
      passTime(ms)
      proxy.resetCounts()
      await read(service)
      expect(proxy.counts()).toMatchObject({ connections: 0, roundTrips: 1 })
      passTime(ms)
      proxy.resetCounts()
      await write(service)
      expect(short(proxy.statementFlights())).toEqual([[BEGIN, 'INSERT INTO webhook_events', IDENTITY], expect.arrayContaining(['COMMIT'])])
      expect(proxy.counts()).toMatchObject({ connections: 0, roundTrips: 2 })
    })
  })

  it('a snapshot is one transaction', async () => {
    await withService(async ({ proxy, service }) => {
      await read(service)
      proxy.resetCounts()
      await service.execute('snapshot', async work => (await select(work), select(work)), { mode: 'read', snapshot: true })
      expect(short(proxy.statementFlights())).toEqual([
        ['START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = N', 'SELECT 1'],
        ['SELECT 1'],
        ['COMMIT'],
      ])
    })
  })

  it('nothing is connected while the breaker is open', async () => {
    await withService(async ({ proxy, service, manager, passTime }) => {
      await proxy.refuse('close')
      const signal = AbortSignal.timeout(300)
      const refused = () => service.execute('read', select, { mode: 'read', signal }).catch((error: unknown) => error)
      await refused()
      await refused()
      manager.breaker.settleOutage(manager.breaker.state.epoch)
      manager.breaker.settleOutage(manager.breaker.state.epoch)
      expect(manager.breaker.state.kind).toBe('open')
      await proxy.accept()
      proxy.resetCounts()
      for (let call = 0; call < 20; call += 1) {
        await expect(read(service)).rejects.toMatchObject({ code: 'database-unavailable', retryAfterMs: expect.any(Number) as number })
      }
      expect(proxy.counts()).toMatchObject({ connections: 0 })
      passTime(5_000)
      expect(await read(service)).toEqual([{ one: 1 }])
      expect(manager.breaker.state.kind).toBe('closed')
    })
  })

  it('a stand-alone read after a unit of work is one flight, read only', async () => {
    await withService(async ({ proxy, service, manager }) => {
      await write(service)
      await read(service)
      proxy.resetCounts()
      await (await manager.currentGeneration()).sequelize.query('SELECT 3 AS three')
      const only = expect.stringContaining("set_config('transaction_read_only'") as string
      expect(proxy.statementFlights()).toEqual([[only, 'SELECT 3 AS three']])
    })
  })
})
