import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'

const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })

describe('safe-execute in a read', () => {
  const safe = { operationName: 'look', fallbackValue: 'too slow', budgetMs: 200 }

  it('has the server stop what takes longer than its budget', async () => {
    await withService(async ({ service }) => {
      const read = service.execute(
        'read',
        async ({ query }) => {
          const timeout = () => query<{ ms: number }>("SELECT setting::int AS ms FROM pg_settings WHERE name = 'statement_timeout'")
          const [row] = (await service.safeExecute(timeout, { ...safe, fallbackValue: [] })) ?? []
          expect(row?.ms).toBeLessThanOrEqual(200)
          expect(await service.safeExecute(() => query('SELECT pg_sleep(20)'), safe)).toBe('too slow')
          return query('SELECT 1 AS one')
        },
        { mode: 'read', deadline: within(6_000) },
      )
      expect(await read).toEqual([{ one: 1 }])
    })
  })

  it('asks nothing more once its budget is over', async () => {
    await withService(async ({ service, proxy }) => {
      let late: Promise<unknown> = Promise.resolve()
      await service.execute(
        'read',
        async ({ query }) => {
          await service.safeExecute(() => (late = delay(100).then(() => query('SELECT 2 AS late'))), { ...safe, budgetMs: 20 })
          await expect(late).rejects.toMatchObject({ original: { code: 'deadline-exceeded' } })
          return query('SELECT 1 AS one')
        },
        { mode: 'read' },
      )
      expect(proxy.statementFlights().flat()).not.toContain('SELECT 2 AS late')
    })
  })
})

describe('safe-execute beside another', () => {
  it('waits for its savepoint no longer than its own budget', async () => {
    await withService(async ({ service }) => {
      const seen: string[] = []
      await service.execute('pay', async work => {
        await work.query('SELECT 1 AS one')
        const leave = Promise.withResolvers<void>()
        const first = service
          .safeExecute(
            async () => {
              await service.execute('log', ({ query }) => query('SELECT 1 AS one'))
              await leave.promise
            },
            { operationName: 'first', fallbackValue: undefined, budgetMs: 5_000 },
          )
          .then(() => seen.push('first'))
        const second = service.safeExecute(async () => expect.unreachable(), { operationName: 'second', fallbackValue: 'fallback', budgetMs: 50 })
        expect(await Promise.race([second, delay(2_000, 'still waiting', { ref: false })])).toBe('fallback')
        seen.push('second')
        leave.resolve()
        await first
      })
      expect(seen).toEqual(['second', 'first'])
    })
  })
})

it('hears nothing of a listener that fails, at once or later', async () => {
  const unhandled: unknown[] = []
  const hear = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  await withService(async ({ service }) => {
    const failing = async () => Promise.reject(new Error('no'))
    const listeners = [
      () => {
        throw new Error('at once')
      },
      async () => {
        await delay(1)
        throw new Error('later')
      },
    ]
    for (const onFallback of listeners)
      expect(await service.safeExecute(failing, { operationName: 'log', fallbackValue: 'fallback', onFallback })).toBe('fallback')
    await delay(20)
    expect(unhandled).toEqual([])
  })
})
