import { describe, expect, it } from 'vitest'
import type { BuildGeneration } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { ExecuteOptions, Work } from '../../src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

// Where a unit of work ends, and what it tells then.

const insert = ({ query }: Work, externalId: string) =>
  query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', $externalId, 't', now())", {
    externalId,
  })
const stored = async ({ database }: ServiceUnderTest) =>
  (await database.query<{ external_id: string }>('SELECT external_id FROM webhook_events ORDER BY external_id')).map(row => row.external_id)
const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })
const CONFLICT = "DO 'BEGIN RAISE EXCEPTION SQLSTATE ''40001''; END'"
const boom = new Error('boom')

describe('a COMMIT whose answer is lost while the caller gives up', () => {
  // On its way when the caller gives up; lost when it arrives.
  const giveUpMeanwhile = ({ service, proxy }: ServiceUnderTest, when: 'before' | 'after') => {
    const stop = new AbortController()
    proxy.addFault({ on: 'statement', matches: 'COMMIT', when, action: 'reset' })
    return service.execute(
      'pay',
      async work => {
        await insert(work, 'a')
        // The next turn of the event loop: COMMIT has been sent by then, and nothing has been answered.
        setImmediate(() => stop.abort(boom))
      },
      { signal: stop.signal, deadline: within(3_000) },
    )
  }

  it('is found out all the same when it was carried out', async () => {
    await withService(async subject => {
      await expect(giveUpMeanwhile(subject, 'after')).resolves.toBeUndefined()
      expect(await stored(subject)).toEqual(['a'])
    })
  })

  it('is not tried again when it never arrived', async () => {
    await withService(async subject => {
      await expect(giveUpMeanwhile(subject, 'before')).rejects.toBe(boom)
      expect(await stored(subject)).toEqual([])
    })
  })
})

describe('a transaction that the server did not begin', () => {
  const refusal = { severity: 'ERROR', code: '57014', message: 'canceling statement due to user request' } as const

  it('is open when its first statement may stand by itself', async () => {
    await withService(async subject => {
      const { service, proxy } = subject
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: { error: refusal } })
      await expect(service.execute('pay', work => insert(work, 'a'))).rejects.toMatchObject({ code: 'commit-unknown' })
      expect(await stored(subject)).toEqual(['a'])
    })
  })

  it('is open when that statement was safe-executed', async () => {
    await withService(async subject => {
      const { service, proxy } = subject
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: { error: refusal } })
      const log = () => service.execute('log', work => insert(work, 'log'))
      const paying = service.execute('pay', () => service.safeExecute(log, { operationName: 'log', fallbackValue: undefined }))
      await expect(paying).rejects.toMatchObject({ code: 'commit-unknown' })
      expect(await stored(subject)).toEqual(['log'])
    })
  })

  it('is not open when the server refused all of its statements', async () => {
    // Begun, but with a limit that this server does not take: it refuses whatever follows.
    const around =
      (build: BuildGeneration): BuildGeneration =>
      async asked =>
        Object.defineProperty(await build(asked), 'transactionLimits', { value: { idleMs: 500, clientCheckMs: -5 } })
    await withService(
      async subject => {
        await expect(subject.service.execute('pay', work => insert(work, 'a'))).rejects.toMatchObject({ original: { code: '25P02' } })
        expect(await stored(subject)).toEqual([])
      },
      { around },
    )
  })

  it.each(['reset', 'close'] as const)('is tried again when its start is lost (%s)', async action => {
    await withService(async subject => {
      const { service, proxy } = subject
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action })
      await service.execute('pay', work => insert(work, 'a'))
      expect(await stored(subject)).toEqual(['a'])
    })
  })
})

describe('an error that a read has dealt with', () => {
  it('has the read neither tried again nor told in its place', async () => {
    await withService(async ({ service }) => {
      let tries = 0
      const read = service.execute('read', ({ query }) => ((tries += 1), query(CONFLICT).catch(() => Promise.reject(boom))), { mode: 'read' })
      await expect(read).rejects.toBe(boom)
      expect(tries).toBe(1)
    })
  })

  it.each([
    ['succeeds', (): undefined => undefined],
    ['fails', () => Promise.reject(boom)],
  ])('and that spoiled its connection leaves that to nobody, when it %s', async (_how, end) => {
    await withService(async ({ service, proxy, manager }) => {
      const spoiled = { severity: 'ERROR', code: '25006', message: 'cannot execute in a read-only transaction' } as const
      proxy.addFault({ on: 'statement', matches: 'SELECT 2', when: 'before', action: { error: spoiled } })
      await service.execute('read', ({ query }) => query('SELECT 2').catch(end), { mode: 'read' }).catch(() => undefined)
      expect(manager.getConnectionStatus().pool).toMatchObject({ idle: 0, inUse: 0 })
    })
  })
})

describe('after-commit callbacks of a probe', () => {
  it('find the breaker closed', async () => {
    await withService(async subject => {
      const { service, manager, passTime } = subject
      for (let outage = 0; outage < 2; outage += 1) manager.breaker.settleOutage(manager.breaker.state.epoch)
      passTime(5_000)
      const states: string[] = []
      await service.execute('probe', async work => {
        work.afterCommit(async () => {
          states.push(manager.breaker.state.kind)
          await service.execute('follow', inner => insert(inner, 'b'))
        })
        await insert(work, 'a')
      })
      expect(states).toEqual(['closed'])
      expect(await stored(subject)).toEqual(['a', 'b'])
    })
  })
})

describe("sequelize's own afterCommit", () => {
  it('is called as ours is: once COMMIT is confirmed', async () => {
    await withService(async subject => {
      const seen: unknown[] = []
      await subject.service.execute('pay', async work => {
        work.transaction.afterCommit(async transaction => void seen.push(transaction === work.transaction, await stored(subject)))
        await insert(work, 'a')
      })
      expect(seen).toEqual([true, ['a']])
    })
  })

  it('is not called when the work was taken back', async () => {
    await withService(async ({ service }) => {
      const failing = service.execute('pay', async ({ transaction }) => {
        transaction.afterCommit(() => expect.unreachable())
        throw boom
      })
      await expect(failing).rejects.toBe(boom)
    })
  })

  it('takes nothing but a function', async () => {
    await withService(async ({ service }) => {
      const failing = service.execute('pay', async ({ transaction }) => transaction.afterCommit(undefined as never))
      await expect(failing).rejects.toThrow('function')
    })
  })
})

describe('what an operation within another asks for', () => {
  const nested = ({ service }: ServiceUnderTest, outer: ExecuteOptions, inner: ExecuteOptions) =>
    service.execute('outer', () => service.execute('inner', async () => 'done', inner), outer)

  it.each<[string, ExecuteOptions, ExecuteOptions]>([
    ['a snapshot in a transaction without one', {}, { mode: 'read', snapshot: true }],
    ['a snapshot in a read', { mode: 'read' }, { mode: 'read', snapshot: true }],
    ['more isolation than there is', { isolation: 'REPEATABLE READ' }, { isolation: 'SERIALIZABLE' }],
    ['isolation where none was asked for', {}, { isolation: 'REPEATABLE READ' }],
    ['a proof of a COMMIT that is not its own', {}, { wasCommitted: async () => true }],
  ])('is refused when it cannot have it: %s', async (_what, outer, inner) => {
    await withService(async subject => {
      await expect(nested(subject, outer, inner)).rejects.toMatchObject({ code: 'nested-operation' })
    })
  })

  it.each<[string, ExecuteOptions, ExecuteOptions]>([
    ['a snapshot within one', { mode: 'read', snapshot: true }, { mode: 'read', snapshot: true }],
    ['a snapshot in a transaction that has one', { isolation: 'SERIALIZABLE' }, { mode: 'read', snapshot: true }],
    ['less isolation than there is', { isolation: 'SERIALIZABLE' }, { isolation: 'REPEATABLE READ' }],
    ['the isolation that every transaction has', {}, { isolation: 'READ COMMITTED' }],
  ])('is what it has: %s', async (_what, outer, inner) => {
    await withService(async subject => {
      expect(await nested(subject, outer, inner)).toBe('done')
    })
  })

  it.each<[string, () => ExecuteOptions, object]>([
    ['signal', () => ({ signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' }],
    ['deadline', () => ({ deadline: within(100) }), { code: 'deadline-exceeded' }],
  ])('ends it, and what it leaves behind writes nothing more: its %s', async (_which, options, reason) => {
    await withService(async subject => {
      const { service } = subject
      let late: Promise<unknown> = Promise.resolve()
      await service.execute('outer', async work => {
        await insert(work, 'outer')
        const leave = Promise.withResolvers<void>()
        const inner = service.execute('inner', ({ query }) => (late = leave.promise.then(() => query('DELETE FROM webhook_events'))), options())
        await expect(inner).rejects.toMatchObject(reason)
        leave.resolve()
        await expect(late).rejects.toThrow('you can no longer use it')
      })
      expect(await stored(subject)).toEqual(['outer'])
    })
  })

  it.each<[string, ExecuteOptions]>([
    ['a snapshot to write on', { snapshot: true }],
    ['a read that is serializable', { mode: 'read', isolation: 'SERIALIZABLE' }],
    ['a snapshot that is serializable', { mode: 'read', snapshot: true, isolation: 'SERIALIZABLE' }],
  ])('is refused to everybody when there is no such thing: %s', async (_what, options) => {
    await withService(async ({ service }) => {
      await expect(service.execute('odd', async () => expect.unreachable(), options)).rejects.toMatchObject({ code: 'nested-operation' })
    })
  })
})

describe('the time that the server gives a statement', () => {
  const timeouts = async ({ query }: Work) => {
    const [row] = await query<{ ms: number }>("SELECT setting::int AS ms FROM pg_settings WHERE name = 'statement_timeout'")
    return row?.ms ?? Number.NaN
  }

  it.each<[string, ExecuteOptions]>([
    ['a transaction', {}],
    ['a snapshot', { mode: 'read', snapshot: true }],
  ])('in %s never outlasts what is left', async (_what, options) => {
    await withService(async ({ service }) => {
      const deadline = within(5_000)
      const seen = await service.execute(
        'look',
        async work => {
          await timeouts(work)
          await work.query('SELECT pg_sleep(0.4)')
          const leftMs = deadline.remainingMs()
          return { leftMs, ms: await timeouts(work) }
        },
        { ...options, deadline },
      )
      expect(seen.ms).toBeLessThanOrEqual(seen.leftMs)
    })
  })

  it('is told again only when it has changed, in a flight that is sent anyway', async () => {
    await withService(async ({ service, proxy }) => {
      await service.execute('warm', ({ query }) => query('SELECT 1 AS one'))
      proxy.resetCounts()
      await service.execute('look', async ({ query }) => {
        await query('SELECT 1 AS one')
        await query('SELECT pg_sleep(0.2)')
        await query('SELECT 3 AS three')
      })
      expect(proxy.counts().roundTrips).toBe(4)
      await service.execute('look', async ({ query }) => {
        await query('SELECT 1 AS one')
        const log = () => service.execute('log', async inner => (await inner.query('SELECT 2 AS two'), inner.query('SELECT 3 AS three')))
        await service.safeExecute(log, { operationName: 'log', fallbackValue: undefined })
      })
      expect(
        proxy
          .statementFlights()
          .flat()
          .filter(statement => statement.startsWith('SET LOCAL') && !statement.includes('RELEASE SAVEPOINT')),
      ).toHaveLength(1)
    })
  })

  it('within an operation that has a deadline of its own never outlasts that, and is the old one behind it', async () => {
    await withService(async ({ service }) => {
      const seen = await service.execute(
        'outer',
        async work => [
          await timeouts(work),
          await service.execute('inner', timeouts, { deadline: within(1_000) }),
          await service.execute('inner', timeouts, { deadline: within(60_000) }),
        ],
        { deadline: within(20_000) },
      )
      expect(seen.map(ms => ms > 15_000 && ms < 20_000)).toEqual([true, false, true])
      expect(seen[1]).toBeLessThanOrEqual(1_000)
    })
  })

  it('in safe-executed work never outlasts its budget, and is the old one behind it', async () => {
    await withService(async ({ service }) => {
      const seen = await service.execute(
        'look',
        async work => {
          const before = await timeouts(work)
          const safe = { operationName: 'look', fallbackValue: undefined, budgetMs: 1_000 }
          const within = await service.safeExecute(
            () => service.execute('inner', async inner => (await timeouts(inner), await inner.query('SELECT pg_sleep(0.3)'), timeouts(inner))),
            safe,
          )
          return { before, within, after: await timeouts(work) }
        },
        { deadline: within(20_000) },
      )
      expect(seen.within).toBeLessThanOrEqual(700)
      expect(seen.after).toBeGreaterThan(10_000)
      expect(seen.after).toBeLessThan(seen.before)
    })
  })
})
