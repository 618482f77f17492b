import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Work } from '../../src/database/service.ts'
import type { BuildGeneration } from '../../../resilient-sequelize/src/pool/manager.ts'
import { endSession, type ToldSession } from '../../../resilient-sequelize/src/transaction/end-session.ts'
import { askIdentity } from '../../../resilient-sequelize/src/wire/identity.ts'
import { currentDeadline, runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { holdForInvocation, runInvocation } from '../../../invocation/src/invocation-scope.ts'
import { createRetryBudget } from '../../../invocation/src/retry-budget.ts'
import { type DatabaseService } from '../../src/database/service.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { serviceWith, withService, type ServiceUnderTest, usersOf } from '../../../functions-devkit/test/support/service.ts'

const insert = ({ query }: Work, externalId: string) =>
  query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', $externalId, 't', now())", {
    externalId,
  })
const stored = async (database: TestDatabase) =>
  (await database.query<{ external_id: string }>('SELECT external_id FROM webhook_events ORDER BY external_id')).map(row => row.external_id)
const wasStored =
  (externalId: string) =>
  async ({ models }: Work) =>
    (await models.WebhookEvent.count({ where: { externalId } })) === 1
// What a serialization failure looks like.
const CONFLICT = "DO 'BEGIN RAISE EXCEPTION SQLSTATE ''40001''; END'"
// Fails with this SQLSTATE, in a transaction that only reads as well.
const failWith = (sqlstate: string) => `DO 'BEGIN RAISE EXCEPTION SQLSTATE ''${sqlstate}''; END'`
// Time that passes while the event loop stands still, as in a container that was paused.
const standStillUntil = (at: number) => {
  while (Date.now() <= at);
}
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

  it('is not taken for rolled back because its row is missing', async () => {
    await withService(async ({ database, proxy, manager, service }) => {
      manager.stopIdentifyingTransactions()
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'reset' })
      let tries = 0
      const lost = service.execute('write', async work => (await insert(work, 'a'), (tries += 1)), {
        wasCommitted: wasStored('a'),
        deadline: within(1_000),
      })
      await expect(lost).rejects.toMatchObject({ code: 'commit-unknown' })
      expect(tries).toBe(1)
      expect(await stored(database)).toEqual([])
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
      const service = serviceWith({ manager, logger: silent, budget, random: () => 0 })
      let tries = 0
      const failing = service.execute('write', async ({ query }) => {
        tries += 1
        await query(CONFLICT)
      })
      await expect(failing).rejects.toMatchObject({ code: 'database-busy' })
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

  it.each([
    ['write', '40001', 11, 'database-busy'],
    ['write', '26000', 2, 'database-busy'],
    ['write', '25006', 11, 'database-busy'],
    ['write', '57P01', 11, 'database-unavailable'],
    ['read', '25006', 1, 'nested-operation'],
  ] as const)('a %s that fails with %s is tried %i times in all', async (mode, sqlstate, most, code) => {
    await withService(async ({ manager }) => {
      const service = serviceWith({ manager, logger: silent, budget: createRetryBudget({ capacity: 100 }), random: () => 0 })
      let tries = 0
      const failing = service.execute('fail', ({ query }) => ((tries += 1), query(failWith(sqlstate))), { mode })
      await expect(failing).rejects.toMatchObject({ code })
      expect(tries).toBe(most)
    })
  })

  it.each(['write', 'read'] as const)('and never a %s that was cancelled before its time was over', async mode => {
    await withService(async ({ service }) => {
      let tries = 0
      const failing = service.execute('fail', ({ query }) => ((tries += 1), query(failWith('57014'))), { mode })
      await expect(failing).rejects.toMatchObject({ name: 'SequelizeDatabaseError', original: { code: '57014' } })
      expect(tries).toBe(1)
    })
  })

  it('with a longer delay where the server lacks the means', async () => {
    await withService(async ({ service, lines }) => {
      let tries = 0
      await service.execute('fail', async ({ query }) => (tries += 1) === 1 && query(failWith('53200')))
      expect(lines.filter(({ event }) => event === 'database.operation.replayed')).toMatchObject([{ code: '53200', delayMs: 250 }])
    })
  })

  it('and never what would only fail again', async () => {
    await withService(async ({ service }) => {
      let tries = 0
      const failing = service.execute('fail', ({ query }) => ((tries += 1), query(failWith('53100'))))
      await expect(failing).rejects.toMatchObject({ original: { code: '53100' } })
      expect(tries).toBe(1)
    })
  })

  it('but not when the wait for it would outlast the deadline', async () => {
    await withService(async ({ manager }) => {
      const service = serviceWith({ manager, logger: silent, random: () => 1_000 })
      let tries = 0
      const failing = service.execute('fail', ({ query }) => ((tries += 1), query(CONFLICT)), { deadline: within(2_000) })
      await expect(failing).rejects.toMatchObject({ code: 'database-busy' })
      expect(tries).toBe(1)
    })
  })

  it.each([
    ['whose identity is known', 'a', "SELECT set_config('client_connection_check_interval', '0', true)"],
    ['that was lost at its first statement', 'b', undefined],
  ])('with the locks of a session %s let go first', async (_which, externalId, first) => {
    await withService(async ({ database, proxy, service }) => {
      // The server does not notice by itself that nobody listens any more.
      const lockAndSleep = `SELECT set_config('client_connection_check_interval', '0', true), pg_advisory_xact_lock(1), pg_sleep(20)`
      let tries = 0
      const writing = service.execute(
        'write',
        async work => {
          tries += 1
          if (tries > 1) return void (await work.query('SELECT pg_advisory_xact_lock(1)'), await insert(work, externalId))
          if (first !== undefined) await insert(work, `${externalId} taken back`)
          await work.query(lockAndSleep)
        },
        { deadline: within(8_000) },
      )
      await expect.poll(() => database.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted")).toHaveLength(1)
      proxy.cutAll('reset')
      await writing
      expect(await stored(database)).toEqual([externalId])
    })
  })

  it('although the server refuses to end the session that was lost', async () => {
    await withService(async ({ database, proxy, service }) => {
      const refusal = { severity: 'ERROR', code: '42501', message: 'permission denied to terminate process' } as const
      const refused = proxy.addFault({ on: 'statement', matches: /pg_terminate_backend/, when: 'before', action: { error: refusal }, times: 100 })
      proxy.addFault({ on: 'statement', matches: /INSERT/, when: 'before', action: 'reset' })
      await service.execute('write', work => insert(work, 'a'), { deadline: within(4_000) })
      expect(refused.fired()).toBe(1)
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('a read that is slow has all of the time that is left at its second try', async () => {
    await withService(async ({ service }) => {
      let tries = 0
      const slow = service.execute('slow', ({ query }) => ((tries += 1), query('SELECT 1 AS one FROM pg_sleep(1.8)')), {
        mode: 'read',
        deadline: within(4_000),
      })
      expect(await slow).toEqual([{ one: 1 }])
      expect(tries).toBe(2)
    })
  })

  it('a write has all of the time at its first try', async () => {
    await withService(async ({ service }) => {
      const slow = service.execute('slow', ({ query }) => query('SELECT 1 AS one FROM pg_sleep(1.5)'), { deadline: within(3_000) })
      expect(await slow).toEqual([{ one: 1 }])
    })
  })

  it('unless the caller gives up while it waits to be tried again', async () => {
    await withService(async ({ manager }) => {
      const service = serviceWith({ manager, logger: silent, random: () => 100 })
      const stop = new AbortController()
      const reason = new Error('enough')
      const failed = Promise.withResolvers<void>()
      const failing = service.execute('fail', ({ query }) => query(CONFLICT).finally(() => failed.resolve()), { signal: stop.signal })
      await failed.promise
      setTimeout(() => stop.abort(reason), 100)
      await expect(failing).rejects.toBe(reason)
    })
  })

  it('and earns a token back with each success', async () => {
    await withService(async ({ manager }) => {
      const budget = createRetryBudget({ capacity: 2, floor: 1 })
      const service = serviceWith({ manager, logger: silent, budget })
      budget.take()
      await service.execute('look', ({ query }) => query('SELECT 1 AS one'))
      expect(budget.tokens).toBe(2)
    })
  })

  it('also when only what followed from it was thrown', async () => {
    await withService(async ({ database, service }) => {
      let tries = 0
      await service.execute('write', async work => {
        tries += 1
        if (tries === 1) await work.query(CONFLICT).catch(() => undefined)
        await insert(work, 'a')
      })
      expect(tries).toBe(2)
      expect(await stored(database)).toEqual(['a'])
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

  it('of safe-executed work run with the others, unless that was taken back', async () => {
    await withService(async ({ service }) => {
      const seen: string[] = []
      const log = (name: string, fails: boolean) =>
        service.safeExecute(
          () =>
            service.execute(name, async work => {
              work.afterCommit(() => void seen.push(name))
              if (fails) throw new Error('no')
            }),
          { operationName: name, fallbackValue: undefined },
        )
      await service.execute('pay', async () => {
        await log('kept', false)
        await log('taken back', true)
        expect(seen).toEqual([])
      })
      expect(seen).toEqual(['kept'])
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
      })
      await outer
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

  it('that may not write sends nothing', async () => {
    await withService(async ({ proxy, service }) => {
      await service.execute('warm', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
      proxy.resetCounts()
      await service.execute('outer', () => service.execute('inner', work => insert(work, 'a')), { mode: 'read' }).catch(() => undefined)
      expect(proxy.counts().statements).toBe(0)
    })
  })
})

describe('a sequelize call without a transaction', () => {
  it('joins the work that it is part of', async () => {
    await withService(async ({ database, service }) => {
      const failing = service.execute('outer', async ({ models }) => {
        await usersOf(models).create({ id: '0192b7f0-0000-7000-8000-000000000001', email: 'a@example.com', name: 'A', externalId: null })
        throw new Error('taken back')
      })
      await expect(failing).rejects.toThrow('taken back')
      expect(await database.query('SELECT * FROM users')).toEqual([])
    })
  })

  it('does not join a transaction that somebody begins on the bare instance, which works as ever', async () => {
    await withService(async ({ database, manager }) => {
      const sequelize = (await manager.currentGeneration()).sequelize
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
      const asking = service.execute('outer', ({ models }) => usersOf(models).count({ transaction: null }))
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

  it('that fails before anything was written does not stop the next', async () => {
    await withService(async ({ database, service }) => {
      await service.execute('pay', async work => {
        const safely = (body: (inner: Work) => Promise<unknown>) =>
          service.safeExecute(() => service.execute('log', body), { operationName: 'log', fallbackValue: undefined })
        await safely(failingLog)
        await safely(inner => insert(inner, 'log'))
        await insert(work, 'a')
      })
      expect(await stored(database)).toEqual(['a', 'log'])
    })
  })

  it('that hides a failure of its own is taken back all the same, and says so', async () => {
    await withService(async ({ database, service }) => {
      await service.execute('pay', async work => {
        const log = () => service.execute('log', inner => insert(inner, 'log').then(() => failingLog(inner).catch(() => 'logged')))
        expect(await service.safeExecute(log, { operationName: 'log', fallbackValue: 'not logged' })).toBe('not logged')
        await insert(work, 'a')
      })
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('has its result in a read as well', async () => {
    await withService(async ({ service }) => {
      const inner = () => service.execute('inner', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
      const outer = () => service.safeExecute(inner, { operationName: 'inner', fallbackValue: undefined })
      expect(await service.execute('outer', outer, { mode: 'read' })).toEqual([{ one: 1 }])
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

  it('leaves the rest its time when it succeeds', async () => {
    await withService(async ({ database, service }) => {
      const deadline = within(10_000)
      await runWithDeadline(deadline, () =>
        service.execute('pay', async work => {
          const log = () => service.execute('log', inner => insert(inner, 'log'))
          await service.safeExecute(log, { operationName: 'log', fallbackValue: undefined, budgetMs: 300 })
          await work.query('SELECT pg_sleep(0.6)')
          await insert(work, 'a')
        }),
      )
      deadline.clear()
      expect(await stored(database)).toEqual(['a', 'log'])
    })
  })

  it('may ask the database nothing', async () => {
    await withService(async ({ database, service }) => {
      await service.execute('pay', async work => {
        await insert(work, 'a')
        expect(await service.safeExecute(async () => 'nothing', { operationName: 'log', fallbackValue: undefined })).toBe('nothing')
        await insert(work, 'b')
      })
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it('does nothing within another whose statement has failed', async () => {
    await withService(async ({ database, service }) => {
      const codes: string[] = []
      await service.execute('pay', async work => {
        await insert(work, 'a')
        const log = () =>
          service.execute('log', async inner => {
            await failingLog(inner).catch(() => undefined)
            await service.safeExecute(async () => expect.unreachable(), {
              operationName: 'inner',
              fallbackValue: undefined,
              onFallback: code => void codes.push(code),
            })
            throw new Error('no')
          })
        await service.safeExecute(log, { operationName: 'log', fallbackValue: undefined })
      })
      expect(codes).toEqual(['transaction-aborted'])
      expect(await stored(database)).toEqual(['a'])
    })
  })

  it('is stopped by the server, not waited for, when it is slow', async () => {
    await withService(async ({ database, service }) => {
      const deadline = within(5_000)
      const pay = service.execute(
        'pay',
        async work => {
          await insert(work, 'a')
          await service.safeExecute(() => service.execute('log', ({ query }) => query('SELECT pg_sleep(10)')), {
            operationName: 'log',
            fallbackValue: undefined,
            budgetMs: 200,
          })
        },
        { deadline },
      )
      await pay
      expect(await stored(database)).toEqual(['a'])
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
      const service = serviceWith({ manager, logger: silent, budget, random: () => 0 })
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

  it('takes a fifth of what its caller has left when it was told no budget', async () => {
    await withService(async ({ service }) => {
      const deadline = within(2_000)
      let handedDown: number | undefined
      const look = async () => void (handedDown = currentDeadline()?.remainingMs())
      await runWithDeadline(deadline, () => service.safeExecute(look, { operationName: 'look', fallbackValue: undefined }))
      deadline.clear()
      expect(handedDown).toBeGreaterThan(0)
      expect(handedDown).toBeLessThanOrEqual(400)
    })
  })

  it('takes a second at most when there is no deadline, and hands its budget down as one', async () => {
    await withService(async ({ service }) => {
      let handedDown: number | undefined
      const look = async () => void (handedDown = currentDeadline()?.remainingMs())
      await service.safeExecute(look, { operationName: 'look', fallbackValue: undefined })
      expect(handedDown).toBeGreaterThan(0)
      expect(handedDown).toBeLessThanOrEqual(1_000)
    })
  })
})

describe('time', () => {
  it('ends work that does not listen, and takes it back', async () => {
    await withService(async ({ database, service }) => {
      const stuck = service.execute('stuck', async work => (await insert(work, 'a'), new Promise(() => undefined)), { deadline: within(300) })
      await expect(stuck).rejects.toMatchObject({ code: 'deadline-exceeded' })
      await expect.poll(() => stored(database)).toEqual([])
    })
  })

  it('that does not suffice for a transaction begins none, and says so', async () => {
    await withService(async ({ proxy, service }) => {
      await service.execute('warm', ({ query }) => query('SELECT 1 AS one'))
      proxy.resetCounts()
      const late = service.execute('late', ({ query }) => query('SELECT 1 AS one'), { deadline: within(120) })
      await expect(late).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(proxy.counts().roundTrips).toBe(0)
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

  it('that has passed while the process stood still lets nothing be committed', async () => {
    await withService(async ({ database, proxy, service }) => {
      await service.execute('warm', ({ query }) => query('SELECT 1 AS one'))
      proxy.resetCounts()
      const deadline = within(1_000)
      const late = service.execute('late', async work => (await insert(work, 'a'), standStillUntil(deadline.at)), { deadline })
      await expect(late).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(proxy.statementFlights().flat()).not.toContain('COMMIT')
      await expect.poll(() => stored(database)).toEqual([])
    })
  })

  it('that is left does not keep the locks of an invocation that is answered', async () => {
    await withService(async ({ database, service }) => {
      const stop = new AbortController()
      let overrunning: Promise<unknown> = Promise.resolve()
      await runInvocation(async () => {
        const locked = Promise.withResolvers<void>()
        const work = async (work: Work) => (await insert(work, 'a'), locked.resolve(), new Promise(() => undefined))
        overrunning = service.execute('overrun', work, { deadline: within(25_000), signal: stop.signal }).catch((error: unknown) => error)
        await locked.promise
      })
      await database.query("SET statement_timeout = '5s'")
      const same = "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', 'a', 't', now())"
      await expect(database.query(same)).resolves.toEqual([])
      stop.abort(new Error('enough'))
      await overrunning
    })
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

  it.each(['before', 'after'] as const)('replaces a connection that has gone silent %s the work reached the server', async when => {
    await withService(async ({ database, proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when, action: 'silence' })
      passTime(6_000)
      await service.execute('write', work => insert(work, 'b'), { deadline: within(4_000) })
      expect(proxy.counts()).toMatchObject({ connections: 2 })
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it('leaves most of a short time for another connection', async () => {
    await withService(async ({ database, proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: 'silence' })
      passTime(6_000)
      await service.execute('write', work => insert(work, 'b'), { deadline: within(1_400) })
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it.each(['reset', 'silence'] as const)('counts no try and no failure for a connection that was dead (%s)', async action => {
    await withService(async ({ database, proxy, service, manager, lines, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action })
      passTime(6_000)
      await service.execute('write', work => insert(work, 'b'), { deadline: within(4_000) })
      expect(await stored(database)).toEqual(['a', 'b'])
      const life = ['database.connection.established', 'database.connection.dead', 'database.connection.established']
      expect(lines.map(({ event }) => event).filter(event => event !== 'database.operation.slow')).toEqual(life)
      expect(manager.getConnectionStatus()).toMatchObject({ lastFailureAt: undefined, breaker: 'closed' })
    })
  })

  it('takes nothing from work that swallows what a dead connection did to it', async () => {
    await withService(async ({ database, proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: 'reset' })
      passTime(6_000)
      const swallow = (work: Work) =>
        insert(work, 'b').then(
          () => 'stored',
          () => 'swallowed',
        )
      expect(await service.execute('write', swallow)).toBe('stored')
      const read = ({ query }: Work) => query('SELECT 1 AS one').catch(() => 'swallowed')
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION READ ONLY/, when: 'before', action: 'reset' })
      passTime(6_000)
      expect(await service.execute('read', read, { mode: 'read' })).toEqual([{ one: 1 }])
      expect(await stored(database)).toEqual(['a', 'b'])
    })
  })

  it('commits nothing over a dead connection when the work does not wait for its statement', async () => {
    await withService(async ({ database, proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      const fault = proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: 'silence' })
      passTime(6_000)
      // Resolves when the statement has left, but nothing is answered yet.
      const sent = async (send: () => Promise<unknown>) => {
        const { statements } = proxy.counts()
        void send().catch(() => undefined)
        await expect.poll(() => proxy.counts().statements, { interval: 1 }).toBeGreaterThan(statements)
      }
      const hasty = (work: Work) => sent(() => insert(work, 'b'))
      await service.execute('write', hasty, { deadline: within(4_000) })
      expect(fault.fired()).toBe(1)
      expect(await stored(database)).toEqual(['a', 'b'])

      // Nothing asks for the identity of one that only reads.
      const another = proxy.addFault({ on: 'statement', matches: /^START TRANSACTION ISOLATION/, when: 'before', action: 'silence' })
      passTime(6_000)
      const look = ({ query }: Work) => sent(() => query('SELECT 1'))
      proxy.resetCounts()
      await service.execute('look', look, { mode: 'read', snapshot: true, deadline: within(4_000) })
      expect(another.fired()).toBe(1)
      expect(
        proxy
          .statementFlights()
          .flat()
          .filter(text => text === 'COMMIT'),
      ).toHaveLength(1)
    })
  })

  it('waits for a slow statement behind it', async () => {
    await withService(async ({ proxy, service, passTime }) => {
      await service.execute('write', work => insert(work, 'a'))
      passTime(6_000)
      // Its bound is a quarter of the time at most.
      const slow = ({ query }: Work) => query('SELECT pg_sleep(0.6)')
      await service.execute('write', slow, { deadline: within(2_000) })
      passTime(6_000)
      await service.execute('read', slow, { mode: 'read', deadline: within(2_000) })
      expect(proxy.counts()).toMatchObject({ connections: 1 })
    })
  })
})

it('runs at the isolation level that was asked for, and at no other words', async () => {
  await withService(async ({ service }) => {
    const show = ({ query }: Work) => query('SHOW transaction_isolation')
    expect(await service.execute('show', show, { isolation: 'SERIALIZABLE' })).toEqual([{ transaction_isolation: 'serializable' }])
    await expect(service.execute('show', show, { isolation: 'SERIALIZABLE; DROP TABLE users' as 'SERIALIZABLE' })).rejects.toMatchObject({
      code: 'nested-operation',
    })
  })
})

describe('connecting', () => {
  it('that meets silence leaves time for a second connection', async () => {
    await withService(async ({ proxy, service }) => {
      const fault = proxy.addFault({ on: 'connect', when: 'tls', action: 'silence' })
      const read = ({ query }: Work) => query('SELECT 1 AS one')
      const deadline = within(4_000)
      expect(await runWithDeadline(deadline, () => service.execute('read', read, { mode: 'read' }))).toEqual([{ one: 1 }])
      expect(fault.fired()).toBe(1)
      deadline.clear()
    })
  })

  it('is tried a few times only when the server rejects it', async () => {
    await withService(async ({ proxy, manager }) => {
      const service = serviceWith({ manager, logger: silent, random: () => 0 })
      const fault = proxy.addFault({
        on: 'connect',
        when: 'startup',
        action: { error: { severity: 'FATAL', code: '08004', message: 'rejected' } },
        times: 10,
      })
      await expect(service.execute('read', async () => undefined, { mode: 'read' })).rejects.toMatchObject({ code: 'database-unavailable' })
      expect(fault.fired()).toBe(4)
    })
  })

  it('to a full server is a queue and no outage', async () => {
    await withService(async ({ proxy, manager, service }) => {
      const full = { severity: 'FATAL', code: '53300', message: 'sorry, too many clients already' } as const
      const fault = proxy.addFault({ on: 'connect', when: 'startup', action: { error: full }, times: 1_000 })
      const read = (remainingMs: number) => service.execute('read', ({ query }) => query('SELECT 1 AS one'), { deadline: within(remainingMs) })
      for (let call = 0; call < 3; call += 1) await expect(read(300)).rejects.toMatchObject({ code: 'database-busy' })
      expect(manager.breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
      fault.remove()
      expect(await read(5_000)).toEqual([{ one: 1 }])
    })
  })

  it('to a full server is a queue for a health check, too', async () => {
    await withService(async ({ proxy, manager }) => {
      const full = { severity: 'FATAL', code: '53300', message: 'remaining connection slots are reserved' } as const
      const fault = proxy.addFault({ on: 'connect', when: 'startup', action: { error: full }, times: 3 })
      expect(await manager.isConnectionHealthy()).toBe(true)
      expect(fault.fired()).toBe(3)
      proxy.cutAll('reset')
      proxy.addFault({ on: 'connect', when: 'startup', action: { error: full }, times: 1_000 })
      expect(await manager.isConnectionHealthy(500)).toBe(false)
      expect(manager.getConnectionStatus()).toMatchObject({ breaker: 'closed', lastErrorCode: '53300' })
    })
  })

  it.each(['read', 'write'] as const)('to a pooler without a session to lend is a queue and no outage for a %s', async mode => {
    await withService(async ({ proxy, manager, service }) => {
      const full = { severity: 'FATAL', code: '08P01', message: 'query_wait_timeout' } as const
      const fault = proxy.addFault({
        on: 'statement',
        matches: mode === 'read' ? /set_config/ : /^START/,
        when: 'before',
        action: { error: full },
        times: 1_000,
      })
      const one = (remainingMs: number) => service.execute('one', ({ query }) => query('SELECT 1 AS one'), { mode, deadline: within(remainingMs) })
      for (let call = 0; call < 2; call += 1) await expect(one(1_500)).rejects.toMatchObject({ code: 'database-busy' })
      expect(manager.breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
      expect(fault.fired()).toBeGreaterThan(2)
      fault.remove()
      expect(await one(5_000)).toEqual([{ one: 1 }])
    })
  })

  it.each([
    ['let in too late for it is busy, and the caller comes back', 5, { code: 'database-busy', retryAfterMs: 5_000 }],
    ['let in at once is late by itself', 0, { code: 'deadline-exceeded' }],
  ])('to a full server: work that is %s', async (_what, times, told) => {
    await withService(async ({ proxy, service, database }) => {
      const full = { severity: 'FATAL', code: '53300', message: 'sorry, too many clients already' } as const
      proxy.addFault({ on: 'connect', when: 'startup', action: { error: full }, times })
      const slow = async (work: Work) => (await insert(work, 'slow'), work.query('SELECT pg_sleep(5)'))
      await expect(service.execute('slow', slow, { deadline: within(1_000) })).rejects.toMatchObject(told)
      expect(await database.query('SELECT 1 FROM webhook_events')).toEqual([])
    })
  })
})

describe('the circuit breaker', () => {
  const read = (service: DatabaseService) => service.execute('read', ({ query }) => query('SELECT 1 AS one'), { deadline: within(300) })
  const openIt = async ({ proxy, service }: Pick<ServiceUnderTest, 'proxy' | 'service'>) => {
    await proxy.refuse('unreachable')
    for (let call = 0; call < 2; call += 1) await expect(read(service)).rejects.toMatchObject({ code: 'database-unavailable' })
    await proxy.accept()
  }

  it('opens at the second operation that ends in an outage', async () => {
    await withService(async ({ proxy, manager, service }) => {
      await proxy.refuse('unreachable')
      await expect(read(service)).rejects.toMatchObject({ code: 'database-unavailable' })
      expect(manager.breaker.state.kind).toBe('closed')
      await expect(read(service)).rejects.toMatchObject({ code: 'database-unavailable' })
      expect(manager.breaker.state.kind).toBe('open')
    })
  })

  it('does not count what the work itself throws, and that means an answer', async () => {
    await withService(async ({ proxy, manager, service }) => {
      await proxy.refuse('unreachable')
      await expect(read(service)).rejects.toMatchObject({ code: 'database-unavailable' })
      await proxy.accept()
      for (let call = 0; call < 2; call += 1) await expect(service.execute('fail', ({ query }) => query('SELECT 1/0'))).rejects.toThrow('division')
      expect(manager.breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
    })
  })

  it('learns nothing from a probe that ran out of time', async () => {
    await withService(async ({ proxy, manager, service, passTime }) => {
      await openIt({ proxy, service })
      passTime(5_000)
      const probe = service.execute('probe', () => new Promise(() => undefined), { deadline: within(300) })
      await expect(probe).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(manager.breaker.state.kind).toBe('open')
      expect(await service.execute('read', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
      expect(manager.breaker.state.kind).toBe('closed')
    })
  })

  it('learns nothing from a COMMIT of which nothing could be found out', async () => {
    await withService(async ({ proxy, manager, service }) => {
      manager.breaker.settleOutage(manager.breaker.state.epoch)
      proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'reset' })
      const lost = service.execute('write', async work => (await insert(work, 'a'), proxy.refuse('unreachable')), { deadline: within(1_000) })
      await expect(lost).rejects.toMatchObject({ code: 'commit-unknown' })
      expect(manager.breaker.state).toMatchObject({ kind: 'closed', outages: 1 })
    })
  })

  it('has a probe look at its connection, however fresh that is', async () => {
    await withService(
      async ({ proxy, manager, service, passTime }) => {
        const look = () => service.execute('read', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
        await look()
        for (let outage = 0; outage < 2; outage += 1) manager.breaker.settleOutage(manager.breaker.state.epoch)
        passTime(1_000)
        proxy.resetCounts()
        await look()
        expect(proxy.counts().roundTrips).toBe(2)
        expect(manager.breaker.state.kind).toBe('closed')
      },
      { profile: { breakerCooldownMs: 1_000 } },
    )
  })

  it('closes when the health check has reached the database', async () => {
    await withService(async ({ proxy, manager, service }) => {
      await openIt({ proxy, service })
      expect(manager.breaker.state.kind).toBe('open')
      expect(await manager.isConnectionHealthy()).toBe(true)
      expect(await service.execute('read', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    })
  })
})

describe('ending a session', () => {
  it('spares the transaction that another client of a pooler runs on it by now', async () => {
    await withService(
      async ({ manager }) => {
        const [lost, other] = [await manager.acquire(), await manager.acquire()]
        await lost.connection.sendRaw('START TRANSACTION')
        const identity = await askIdentity(lost.connection)
        if (identity === undefined) throw new Error('the transaction has no identity')
        await lost.connection.sendRaw('COMMIT; START TRANSACTION')
        await endSession(other.connection, identity, 1_000)
        expect(await lost.connection.sendRaw('COMMIT')).toMatchObject({ command: 'COMMIT' })
        lost.release()
        other.release()
      },
      { profile: { pool: { max: 2, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })

  it('hits nothing but the very session that was meant', async () => {
    await withService(async ({ database, manager }) => {
      const [other] = await database.query<{ pid: number; start: string }>(
        'SELECT pid, extract(epoch FROM backend_start)::text AS start FROM pg_stat_activity WHERE pid = pg_backend_pid()',
      )
      if (other === undefined) throw new Error('the session does not show')
      const { pid, start } = other
      const lease = await manager.acquire()
      const [own] = ((await lease.connection.sendRaw('SELECT pg_backend_pid() AS pid')) as { rows: { pid: number }[] }).rows
      const end = (session: ToldSession) => endSession(lease.connection, session, 1_000)
      // The process id is another's by now; of that session only the id is known; it is the session that asks.
      await end({ pid, backendStart: '1.5' })
      await end({ pid })
      await end({ pid: own?.pid ?? 0 })
      expect(await database.query('SELECT pg_backend_pid() AS pid')).toEqual([{ pid }])
      await end({ pid, backendStart: start })
      lease.release()
      await expect.poll(() => database.query('SELECT pg_backend_pid() AS pid').catch(() => [{ pid }])).not.toEqual([{ pid }])
    })
  })
})

it('gives up when every pool is closed as soon as it is built', async () => {
  // Behind the back of the manager, which would only build the next one.
  const around =
    (build: BuildGeneration): BuildGeneration =>
    async asked => {
      const generation = await build(asked)
      generation.pool.acquire = () => Promise.reject(new Error('ConnectionManager.getConnection was called after the connection manager was closed!'))
      return generation
    }
  await withService(
    async ({ manager }) => {
      await expect(manager.acquire()).rejects.toThrow('ConnectionManager.getConnection was called after the connection manager was closed!')
      expect(manager.getConnectionStatus().generation).toBe(6)
    },
    { around },
  )
})

describe('a lease', () => {
  it('that was given back has no hold on the connection any more', async () => {
    await withService(async ({ manager }) => {
      const lease = await manager.acquire()
      lease.release()
      const next = await manager.acquire()
      expect(next.connection).toBe(lease.connection)
      lease.destroy()
      lease.release()
      expect(manager.getConnectionStatus().pool).toMatchObject({ size: 1, inUse: 1 })
      await expect(next.connection.sendRaw('SELECT 1 AS one')).resolves.toMatchObject({ rows: [{ one: 1 }] })
      next.release()
    })
  })
})

it('leaves the pool in use alone when an earlier one is retired late', async () => {
  await withService(async ({ manager, service }) => {
    const look = () => service.execute('look', ({ query }) => query('SELECT 1 AS one'))
    await look()
    const earlier = await manager.currentGeneration()
    await earlier.sequelize.close()
    await look()
    manager.retire(earlier, 'late')
    expect(manager.getConnectionStatus()).toMatchObject({ state: 'ready', generation: 2 })
  })
})
