import type { Models } from '../../../functions-devkit/test/application/lib/app/models/index.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type DatabaseService, type Work } from '../../src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { runInvocation } from '../../../invocation/src/invocation-scope.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

// What a unit of work has begun and not waited for, once that work has ended.

const insert = ({ query }: Work, externalId: string) =>
  query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', $externalId, 't', now())", {
    externalId,
  })
const stored = async ({ database }: ServiceUnderTest) =>
  (await database.query<{ external_id: string }>('SELECT external_id FROM webhook_events ORDER BY external_id')).map(row => row.external_id)
const CONFLICT = "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END'"
const SAFE = { operationName: 'log', fallbackValue: undefined, budgetMs: 1_500 }
const pay = (service: DatabaseService, externalId: string) => service.execute('pay', work => insert(work, externalId))
const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })
const END = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'subject'"
const boom = new Error('boom')

describe('what is left of a unit of work that failed', () => {
  it('does nothing beside the try that takes its place', async () => {
    await withService(async subject => {
      const { service } = subject
      let tries = 0
      const late: Promise<unknown>[] = []
      await service.execute('outer', async () => {
        tries += 1
        const name = `pay-by-try-${tries}`
        const paying = delay(100).then(() => pay(service, name))
        late.push(paying.catch((error: unknown) => error))
        const conflict = service.execute('log', async work => tries === 1 && (await work.query(CONFLICT)))
        await Promise.all([conflict, paying])
      })
      expect(await late[0]).toMatchObject({ code: 'nested-operation' })
      expect(await stored(subject)).toEqual(['pay-by-try-2'])
    })
  })

  it('does not do the second half when the caller gave up after the first', async () => {
    await withService(async subject => {
      const { service } = subject
      const stop = new AbortController()
      let finished: Promise<unknown> = Promise.resolve()
      const outer = service.execute(
        'outer',
        () =>
          (finished = (async () => {
            await pay(service, 'debit')
            stop.abort(boom)
            await delay(50)
            await pay(service, 'credit')
          })()),
        { signal: stop.signal },
      )
      await expect(outer).rejects.toBe(boom)
      await expect(finished).rejects.toMatchObject({ code: 'nested-operation' })
      expect(await stored(subject)).toEqual([])
    })
  })

  it('writes nothing through a model after the deadline', async () => {
    await withService(async subject => {
      let finished: Promise<unknown> = Promise.resolve()
      const event = (externalId: string) => ({ source: 's', externalId, type: 't', receivedAt: new Date() })
      const outer = subject.service.execute(
        'outer',
        ({ models, signal }) =>
          (finished = (async () => {
            await models.WebhookEvent.create({ id: crypto.randomUUID(), ...event('first') })
            await new Promise(resolve => signal.addEventListener('abort', resolve))
            await delay(20)
            await models.WebhookEvent.create({ id: crypto.randomUUID(), ...event('second') })
          })()),
        { deadline: within(3_000) },
      )
      await expect(outer).rejects.toMatchObject({ code: 'deadline-exceeded' })
      await expect(finished).rejects.toMatchObject({ code: 'nested-operation' })
      expect(await stored(subject)).toEqual([])
    })
  })

  it('writes nothing into the transaction of whoever has the connection next', async () => {
    await withService(async subject => {
      const { service } = subject
      let logged: Promise<unknown> = Promise.resolve()
      const outer = service.execute('outer', () =>
        Promise.all([
          service.safeExecute(() => (logged = delay(100).then(() => service.execute('log', work => insert(work, 'log')))), SAFE),
          delay(10).then(() => Promise.reject(boom)),
        ]),
      )
      await expect(outer).rejects.toBe(boom)
      const other = service.execute('other', async work => {
        await insert(work, 'other')
        await logged.catch(() => undefined)
        return work.query<{ external_id: string }>('SELECT external_id FROM webhook_events')
      })
      expect(await other).toEqual([{ external_id: 'other' }])
      expect(await stored(subject)).toEqual(['other'])
    })
  })

  it('sends no statement that had to wait for a savepoint', async () => {
    await withService(async subject => {
      const { service } = subject
      let gated: Promise<unknown> = Promise.resolve()
      const outer = service.execute('outer', async work => {
        await insert(work, 'first')
        await Promise.all([
          service.safeExecute(() => service.execute('log', inner => inner.query('SELECT pg_sleep(0.3)')), SAFE),
          delay(20).then(() => (gated = insert(work, 'gated'))),
          delay(60).then(() => Promise.reject(boom)),
        ])
      })
      await expect(outer).rejects.toBe(boom)
      await expect(gated).rejects.toThrow('ended')
      expect(await stored(subject)).toEqual([])
    })
  })

  it('holds no connection once the invocation is answered', async () => {
    await withService(async subject => {
      const { service } = subject
      let detached: Promise<unknown> = Promise.resolve()
      const deadline = within(3_000)
      const invocation = runInvocation(() =>
        runWithDeadline(deadline, async () => {
          detached = service.execute('detached', async work => (await insert(work, 'detached'), await delay(300), await work.query('SELECT 1')))
          detached.catch(() => undefined)
          await delay(100)
          throw boom
        }),
      )
      await expect(invocation).rejects.toBe(boom)
      deadline.end()
      await expect(detached).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(await subject.sessions()).toBe(0)
      expect(await stored(subject)).toEqual([])
    })
  })
})

describe('a write that the work did not wait for', () => {
  it('is no success when its session ends meanwhile', async () => {
    await withService(async subject => {
      const { service, proxy, database } = subject
      proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: { delayMs: 300 } })
      let tries = 0
      let ended: Promise<unknown> = Promise.resolve()
      const outer = service.execute('outer', async work => {
        tries += 1
        await work.query('SELECT 1')
        const inserting = insert(work, 'late')
        if (tries > 1) return (await inserting, tries)
        inserting.catch(() => undefined)
        // Sent by the time that the work returns; nothing but COMMIT could tell that it failed.
        await delay(20)
        ended = delay(100).then(() => database.query(END))
        return tries
      })
      expect(await outer).toBeGreaterThan(1)
      await ended
      expect(await stored(subject)).toEqual(['late'])
    })
  })
})

describe('two databases in one process', () => {
  it('each get what is meant for them, also within the work of the other', async () => {
    await withService(async one => {
      await withService(async other => {
        await one.service.execute('outer', async work => {
          await insert(work, 'one')
          await other.service.execute('inner', inner => insert(inner, 'other'))
        })
        expect(await stored(one)).toEqual(['one'])
        expect(await stored(other)).toEqual(['other'])
        const { WebhookEvent } = (await other.manager.currentGeneration()).sequelize.models as unknown as Models
        // A model of the other database asks that one, on a connection of its own.
        expect(await one.service.execute('outer', () => WebhookEvent.count())).toBe(1)
      })
    })
  })
})
