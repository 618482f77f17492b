import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Work } from '../../lib/database/service.ts'
import { openDeadline } from '../../lib/resilience/deadline.ts'
import { holdForInvocation, runInvocation } from '../../lib/resilience/invocation-scope.ts'
import { createRetryBudget } from '../../lib/resilience/retry-budget.ts'
import { DatabaseService } from '../../lib/database/service.ts'
import { createLogger } from '../../lib/telemetry/logger.ts'
import type { TestDatabase } from '../support/database.ts'
import { withService } from '../support/service.ts'

const insert = ({ query }: Work, externalId: string) =>
  query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', $externalId, 't', now())", {
    externalId,
  })
const stored = async (database: TestDatabase) =>
  (await database.query<{ external_id: string }>('SELECT external_id FROM webhook_events ORDER BY external_id')).map(row => row.external_id)
const wasStored = (externalId: string) => async (models: Work['models']) => (await models.WebhookEvent.count({ where: { externalId } })) === 1
// What a serialization failure looks like.
const CONFLICT = "DO 'BEGIN RAISE EXCEPTION SQLSTATE ''40001''; END'"
const silent = createLogger({ name: 'test', level: 'silent' })
const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })

describe('a lost COMMIT', () => {
  it.each(['reset', 'close'] as const)('that never arrived is found out and done again (%s)', async action => {
    await withService(async ({ database, proxy, service }) => {
      const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action })
      let tries = 0
      expect(await service.execute('write', async work => (await insert(work, 'a'), (tries += 1)))).toBe(2)
      expect(fault.fired()).toBe(1)
      expect(tries).toBe(2)
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it.each(['reset', 'close'] as const)('that was carried out is found out and not done again (%s)', async action => {
    await withService(async ({ database, proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action })
      let tries = 0
      expect(await service.execute('write', async work => (await insert(work, 'a'), (tries += 1)))).toBe(1)
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('in silence is found out as well: the session that waits for a client is ended', async () => {
    await withService(async ({ database, proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'silence' })
      expect(await service.execute('write', async work => (await insert(work, 'a'), 'done'), { deadline: within(4_000) })).toBe('done')
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('is believed although a checkpoint came between', async () => {
    await withService(async ({ database, proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
      await service.execute('write', async work => {
        await insert(work, 'a')
        await database.query('CHECKPOINT')
      })
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('of a transaction that wrote nothing has lost nothing', async () => {
    await withService(async ({ proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'reset' })
      let tries = 0
      expect(await service.execute('look', async ({ query }) => ((tries += 1), query('SELECT 1 AS one')))).toEqual([{ one: 1 }])
      expect(tries).toBe(1)
    })
  })

  it('stays open where the role may not ask, unless a row proves it; writing works there all the same', async () => {
    await withService(async ({ database, proxy, manager, service }) => {
      await database.query('REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC')
      await database.query('CREATE ROLE restricted LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO restricted')
      try {
        const asRestricted = (externalId: string) => async (work: Work) => {
          await work.query('SET LOCAL ROLE restricted')
          await insert(work, externalId)
        }
        await service.execute('write', asRestricted('a'))
        expect(manager.identifiesTransactions).toBe(false)
        const lose = () => proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
        lose()
        await expect(service.execute('write', asRestricted('b'))).rejects.toMatchObject({ code: 'commit-unknown' })
        lose()
        await service.execute('write', asRestricted('c'), { wasCommitted: wasStored('c') })
        expect(await stored(database)).toEqual(['a', 'b', 'c'])
      } finally {
        await database.query('DROP OWNED BY restricted; DROP ROLE restricted')
      }
    })
  })
})

describe('what passes by itself is done again as a whole', () => {
  it('two transactions in a deadlock both succeed', async () => {
    await withService(
      async ({ database, service }) => {
        for (const externalId of ['a', 'b']) await service.execute('write', work => insert(work, externalId))
        const meet = Promise.withResolvers<void>()
        let there = 0
        const touch = (first: string, second: string) =>
          service.execute('touch', async ({ query }) => {
            const update = (externalId: string) =>
              query('UPDATE webhook_events SET attempts = attempts + 1 WHERE external_id = $externalId', { externalId })
            await update(first)
            if ((there += 1) === 2) meet.resolve()
            await meet.promise
            await update(second)
          })
        await Promise.all([touch('a', 'b'), touch('b', 'a')])
        expect(await database.query('SELECT attempts FROM webhook_events')).toEqual([{ attempts: 2 }, { attempts: 2 }])
      },
      { profile: { pool: { max: 2, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })

  it('a session ended in the middle of a statement', async () => {
    await withService(async ({ database, service }) => {
      let tries = 0
      await service.execute('write', async work => {
        await insert(work, 'a')
        tries += 1
        const [row] = await work.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        if (tries === 1) {
          await Promise.all([work.query('SELECT pg_sleep(20)'), database.query('SELECT pg_terminate_backend($1, 1000)', [row?.pid])])
        }
      })
      expect(tries).toBe(2)
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('a read that meets silence has its row by a second connection', async () => {
    await withService(async ({ proxy, service }) => {
      await service.execute('warm', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
      const fault = proxy.addFault({ on: 'statement', matches: 'SELECT 2 AS two', when: 'before', action: 'silence' })
      expect(await service.execute('read', ({ query }) => query('SELECT 2 AS two'), { mode: 'read', deadline: within(2_000) })).toEqual([{ two: 2 }])
      expect(fault.fired()).toBe(1)
    })
  })

  it('but never more than the budget has tokens for', async () => {
    await withService(async ({ database, manager }) => {
      const budget = createRetryBudget({ capacity: 2, floor: 2, quietMs: 60_000, now: () => 0 })
      const service = new DatabaseService({ manager, logger: silent, budget, random: () => 0 })
      let tries = 0
      const failing = service.execute('write', async ({ query }) => {
        tries += 1
        await query(CONFLICT)
      })
      await expect(failing).rejects.toMatchObject({ code: 'database-busy', status: 503 })
      expect(tries).toBe(3)
      expect(await stored(database)).toEqual([])
    })
  })

  it('and never what the work itself refuses', async () => {
    await withService(async ({ service }) => {
      let tries = 0
      const refusing = service.execute('write', async work => {
        tries += 1
        await insert(work, 'a')
        await insert(work, 'a')
      })
      await expect(refusing).rejects.toMatchObject({ name: 'SequelizeUniqueConstraintError' })
      expect(tries).toBe(1)
    })
  })
})

describe('after-commit callbacks', () => {
  it('run once the commit is confirmed, and a failing one changes nothing', async () => {
    await withService(async ({ database, service }) => {
      const seen: unknown[] = []
      await service.execute('write', async work => {
        work.afterCommit(() => {
          throw new Error('no')
        })
        work.afterCommit(async () => void seen.push(await stored(database)))
        await insert(work, 'a')
      })
      expect(seen).toEqual([['a']])
    })
  })

  it('run once although the commit had to be found out, and not for a try that was taken back', async () => {
    await withService(async ({ proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'reset' })
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
      let tries = 0
      const seen: number[] = []
      await service.execute('write', async work => {
        const number = (tries += 1)
        work.afterCommit(() => void seen.push(number))
        await insert(work, 'a')
      })
      expect(seen).toEqual([2])
    })
  })

  it('do not run after a rollback', async () => {
    await withService(async ({ service }) => {
      const failing = service.execute('write', async work => {
        work.afterCommit(() => expect.unreachable())
        throw new Error('taken back')
      })
      await expect(failing).rejects.toThrow('taken back')
    })
  })
})

describe('an operation within another', () => {
  it('joins its transaction', async () => {
    await withService(async ({ database, service }) => {
      const failing = service.execute('outer', async () => {
        await service.execute('inner', work => insert(work, 'a'))
        expect(await service.execute('count', ({ models }) => models.WebhookEvent.count(), { mode: 'read' })).toBe(1)
        throw new Error('taken back')
      })
      await expect(failing).rejects.toThrow('taken back')
      expect(await stored(database)).toEqual([])
    })
  })

  it('may not write in a read', async () => {
    await withService(async ({ service }) => {
      const nested = service.execute('outer', () => service.execute('inner', work => insert(work, 'a')), { mode: 'read' })
      await expect(nested).rejects.toMatchObject({ code: 'nested-operation' })
    })
  })

  it('is one of its own when it comes after the outer one has ended', async () => {
    await withService(async ({ database, service }) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      let late: Promise<unknown> = Promise.resolve()
      const outer = service.execute('outer', async () => {
        late = promise.then(() => service.execute('late', work => insert(work, 'a')))
        throw new Error('taken back')
      })
      await expect(outer).rejects.toThrow('taken back')
      resolve()
      await late
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('cannot use the transaction once that has ended', async () => {
    await withService(async ({ service }) => {
      let kept: Work | undefined
      await service.execute('outer', async work => void (kept = work))
      await expect(kept?.query('SELECT 1')).rejects.toThrow('you can no longer use it')
    })
  })
})

describe('a sequelize call without a transaction', () => {
  it('joins the work that it is part of', async () => {
    await withService(async ({ database, service }) => {
      const failing = service.execute('outer', async ({ models }) => {
        await models.User.create({ id: '0192b7f0-0000-7000-8000-000000000001', email: 'a@example.com', name: 'A', externalId: null })
        throw new Error('taken back')
      })
      await expect(failing).rejects.toThrow('taken back')
      expect(await database.query('SELECT * FROM users')).toEqual([])
    })
  })

  it('does not join a transaction that somebody begins on the bare instance, which works as ever', async () => {
    await withService(async ({ database, manager }) => {
      const sequelize = await manager.getSequelize()
      const taken = sequelize.transaction(async transaction => {
        await sequelize.query('CREATE TABLE taken_back (a int)', { transaction })
        throw new Error('taken back')
      })
      await expect(taken).rejects.toThrow('taken back')
      await sequelize.transaction(transaction => sequelize.query('CREATE TABLE kept (a int)', { transaction }))
      expect(await database.query("SELECT to_regclass('kept') IS NOT NULL AS kept, to_regclass('taken_back') IS NULL AS gone")).toEqual([
        { kept: true, gone: true },
      ])
    })
  })

  it('is refused when it insists on a connection of its own', async () => {
    await withService(async ({ service }) => {
      const asking = service.execute('outer', ({ models }) => models.User.count({ transaction: null }))
      await expect(asking).rejects.toMatchObject({ code: 'nested-operation' })
    })
  })
})

describe('safe-execute in a transaction', () => {
  const failingLog = ({ query }: Work) => query('INSERT INTO no_such_table VALUES (1)')

  it('fails without the work around it', async () => {
    await withService(async ({ database, service }) => {
      const codes: string[] = []
      const result = await service.execute('pay', async work => {
        await insert(work, 'a')
        const logged = await service.safeExecute(() => service.execute('log', failingLog), {
          operationName: 'log',
          fallbackValue: 'not logged',
          onFallback: code => void codes.push(code),
        })
        await insert(work, 'b')
        return logged
      })
      expect(result).toBe('not logged')
      expect(codes).toEqual(['42P01'])
      expect(service.counters.get('fallbacks', 'log')).toBe(1)
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it('keeps what it wrote when it succeeds', async () => {
    await withService(async ({ database, service }) => {
      await service.execute('pay', async work => {
        await service.safeExecute(() => service.execute('log', inner => insert(inner, 'log')), { operationName: 'log', fallbackValue: undefined })
        await insert(work, 'a')
      })
      expect(await stored(database)).toEqual(['a', 'log'])
    })
  })

  it('is stopped by the server when it is slow, and the rest has its time back', async () => {
    await withService(async ({ database, service }) => {
      const result = await service.execute('pay', async work => {
        await insert(work, 'a')
        const logged = await service.safeExecute(() => service.execute('log', ({ query }) => query('SELECT pg_sleep(10)')), {
          operationName: 'log',
          fallbackValue: 'too slow',
          budgetMs: 200,
        })
        await work.query('SELECT pg_sleep(0.4)')
        return logged
      })
      expect(result).toBe('too slow')
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('takes nothing back but its own, although others write meanwhile', async () => {
    await withService(async ({ database, service }) => {
      await service.execute('pay', async work => {
        const log = service.safeExecute(
          () =>
            service.execute('log', async inner => {
              await insert(inner, 'log')
              await inner.query('SELECT pg_sleep(0.1)')
              throw new Error('no')
            }),
          { operationName: 'log', fallbackValue: undefined },
        )
        await new Promise(resolve => setTimeout(resolve, 20))
        await Promise.all([
          log,
          insert(work, 'a'),
          service.safeExecute(() => service.execute('other', inner => insert(inner, 'b')), { operationName: 'b', fallbackValue: undefined }),
        ])
      })
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it('writes nothing more once its time is over', async () => {
    await withService(async ({ database, service }) => {
      let late: Promise<unknown> | undefined
      await service.execute('pay', async work => {
        await service.safeExecute(
          () =>
            service.execute('log', inner => {
              late = new Promise(resolve => setTimeout(resolve, 150)).then(() => insert(inner, 'late'))
              return late
            }),
          { operationName: 'log', fallbackValue: undefined, budgetMs: 50 },
        )
        await insert(work, 'a')
        await late?.catch(() => undefined)
      })
      await expect(late).rejects.toThrow('you can no longer use it')
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('that meets silence leaves time for the work around it to be done again', async () => {
    await withService(async ({ database, proxy, service }) => {
      proxy.addFault({ on: 'statement', matches: /'log'/, when: 'before', action: 'silence' })
      await service.execute(
        'pay',
        async work => {
          await insert(work, 'a')
          const log = "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', 'log', 't', now())"
          await service.safeExecute(() => service.execute('log', ({ query }) => query(log)), { operationName: 'log', fallbackValue: undefined })
        },
        { deadline: within(5_000) },
      )
      expect(await stored(database)).toEqual(['a', 'log'])
    })
  })

  it('does nothing in a transaction that has failed already, and says so', async () => {
    await withService(async ({ service }) => {
      const codes: string[] = []
      const failing = service.execute('pay', async ({ query }) => {
        await query('SELECT 1/0').catch(() => undefined)
        await service.safeExecute(async () => expect.unreachable(), {
          operationName: 'log',
          fallbackValue: 1,
          onFallback: code => void codes.push(code),
        })
      })
      await expect(failing).rejects.toMatchObject({ code: 'transaction-rolled-back' })
      expect(codes).toEqual(['transaction-aborted'])
    })
  })

  it('adds no round trip of its own but the one that ends it', async () => {
    await withService(async ({ proxy, service }) => {
      await service.execute('warm', work => insert(work, 'warm'))
      proxy.resetCounts()
      await service.execute('pay', async work => {
        await insert(work, 'a')
        await service.safeExecute(() => service.execute('log', inner => insert(inner, 'log')), { operationName: 'log', fallbackValue: undefined })
      })
      expect(proxy.counts().roundTrips).toBe(4)
    })
  })
})

describe('safe-execute outside of a transaction', () => {
  it('costs no more than its budget, whatever the work does', async () => {
    await withService(async ({ service }) => {
      const deadline = within(60_000)
      expect(await service.safeExecute(() => new Promise(() => undefined), { operationName: 'log', fallbackValue: 'over', budgetMs: 50 })).toBe(
        'over',
      )
      deadline.clear()
    })
  })

  it('replays on a budget of its own', async () => {
    await withService(async ({ manager }) => {
      const budget = createRetryBudget()
      const service = new DatabaseService({ manager, logger: silent, budget, random: () => 0 })
      const before = budget.tokens
      let tries = 0
      await service.safeExecute(() => service.execute('log', async ({ query }) => ((tries += 1), query(CONFLICT))), {
        operationName: 'log',
        fallbackValue: undefined,
      })
      expect(tries).toBeGreaterThan(1)
      expect(budget.tokens).toBe(before)
    })
  })
})

describe('time', () => {
  it('ends work that does not listen, and takes it back', async () => {
    await withService(async ({ database, service }) => {
      const stuck = service.execute('stuck', async work => (await insert(work, 'a'), new Promise(() => undefined)), { deadline: within(300) })
      await expect(stuck).rejects.toMatchObject({ code: 'deadline-exceeded', status: 504 })
      await expect.poll(() => stored(database)).toEqual([])
    })
  })

  it('ends with the caller when that gives up', async () => {
    await withService(async ({ database, service }) => {
      const stop = new AbortController()
      const reason = new Error('enough')
      const given = service.execute('given up', async work => (await insert(work, 'a'), stop.abort(reason), new Promise(() => undefined)), {
        signal: stop.signal,
      })
      await expect(given).rejects.toBe(reason)
      expect(await stored(database)).toEqual([])
    })
  })

  it('drops what an invocation still holds when it is answered, and nothing of another', async () => {
    await withService(
      async ({ database, service }) => {
        const leave = Promise.withResolvers<void>()
        const inOther = Promise.withResolvers<void>()
        const other = runInvocation(() => service.execute('other', async work => (await insert(work, 'other'), inOther.resolve(), leave.promise)))
        await inOther.promise
        let overrunning: Promise<unknown> = Promise.resolve()
        await runInvocation(async () => {
          const locked = Promise.withResolvers<void>()
          overrunning = service
            .execute('overrun', async work => (await insert(work, 'overrun'), locked.resolve(), new Promise(() => undefined)), {
              deadline: within(1_000),
            })
            .catch((error: unknown) => error)
          await locked.promise
        })
        await expect
          .poll(() =>
            database.query(
              "SELECT 1 FROM pg_stat_activity WHERE application_name = 'subject' AND state LIKE 'idle in transaction%' AND datname = current_database()",
            ),
          )
          .toHaveLength(1)
        leave.resolve()
        await other
        expect(await stored(database)).toEqual(['other'])
        await overrunning
        holdForInvocation(() => undefined)
      },
      { profile: { pool: { max: 2, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })
})

describe('a session that was ended while the process stood still', () => {
  // Run to its end before the event loop turns again, as if the container had been paused meanwhile.
  const endSessions = (database: TestDatabase) =>
    execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import pg from 'pg'
       const client = new pg.Client(${JSON.stringify({ ...database.connectionSettings, database: database.name })})
       await client.connect()
       await client.query("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'subject' AND datname = current_database()")
       await client.end()`,
    ])

  it('costs neither the next read nor the next write anything', async () => {
    await withService(async ({ database, service, sessions }) => {
      await service.execute('write', work => insert(work, 'a'))
      endSessions(database)
      expect(await service.execute('read', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })).toEqual([{ one: 1 }])
      endSessions(database)
      await service.execute('write', work => insert(work, 'b'))
      await service.execute('write', work => insert(work, 'c'))
      expect(await stored(database)).toEqual(['a', 'b', 'c'])
      expect(await sessions()).toBe(1)
    })
  })
})

it('leaves no session behind when the log-in fails on our side', async () => {
  await withService(
    async ({ proxy, service }) => {
      await expect(service.execute('read', async () => undefined)).rejects.toMatchObject({ code: 'database-unavailable' })
      await expect.poll(() => proxy.counts()).toMatchObject({ connections: 1, open: 0 })
    },
    { settings: { password: '' } },
  )
})

describe('revalidation', () => {
  it.each(['reset', 'close'] as const)('replaces a connection that was cut while idle (%s)', async manner => {
    await withService(async ({ proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.cutAll(manner)
      passTime(6_000)
      await service.execute('write', work => insert(work, 'b'))
      expect(proxy.counts()).toMatchObject({ connections: 2 })
    })
  })

  it('replaces a connection that has gone silent', async () => {
    await withService(async ({ proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.addFault({ on: 'statement', matches: 'SELECT 1', when: 'before', action: 'silence' })
      passTime(6_000)
      await service.execute('write', work => insert(work, 'b'), { deadline: within(4_000) })
      expect(proxy.counts()).toMatchObject({ connections: 2 })
    })
  })
})

it('runs at the isolation level that was asked for, and at no other words', async () => {
  await withService(async ({ service }) => {
    const show = ({ query }: Work) => query('SHOW transaction_isolation')
    expect(await service.execute('show', show, { isolation: 'SERIALIZABLE' })).toEqual([{ transaction_isolation: 'serializable' }])
    await expect(service.execute('show', show, { isolation: 'SERIALIZABLE; DROP TABLE users' as 'SERIALIZABLE' })).rejects.toMatchObject({
      status: 500,
    })
  })
})
