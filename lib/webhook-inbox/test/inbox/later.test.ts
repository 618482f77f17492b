import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { MOST_ATTEMPTS } from '../../src/inbox/attempt-times.ts'
import { defineHandler, later, type WebhookHandler } from '../../src/inbox/handler.ts'
import { withInbox, type Inbox, type InboxOptions } from '../../../functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

const HOUR_MS = 3_600_000
const event = { type: 'order.paid', data: { n: 1 } }

/** A handler that writes its event down, then ends as `end` says; counts its runs. */
function handlerOf(end: () => unknown, needsDatabase = true) {
  const runs: string[] = []
  const handler = {
    type: 'order.paid',
    schema: z.unknown(),
    needsDatabase,
    async apply({ id }: { id: string }, { query }: { query?: (text: string, bind: object) => Promise<unknown> }) {
      runs.push(id)
      await query?.('INSERT INTO done VALUES ($id)', { id })
      return end()
    },
  }
  return { handlers: [defineHandler(handler as never) as WebhookHandler], runs }
}

async function withHandlers(
  { handlers, runs: _, ...options }: Partial<InboxOptions> & ReturnType<typeof handlerOf>,
  work: (inbox: Inbox) => Promise<void>,
) {
  await withInbox({ handlers, ...options }, async inbox => {
    await inbox.database.query('CREATE TABLE done (id text)')
    await work(inbox)
  })
}
const done = ({ database }: Inbox) => database.query('SELECT id FROM done')
const dueInMinutes = async ({ database }: Inbox) =>
  (
    await database.query<{ minutes: number }>('SELECT round(extract(epoch FROM next_attempt_at - now()) / 60)::int AS minutes FROM webhook_events')
  ).map(({ minutes }) => minutes)
const deferred = { status: 202, body: { outcome: 'deferred' } }
const fail = (error: () => unknown) => () => {
  throw error()
}
const succeeds = handlerOf(() => undefined)

describe('later, thrown by a handler', () => {
  it.each<[string, () => unknown, number]>([
    ['its own time', () => later('closed', { afterMs: 3 * HOUR_MS }), 180],
    ['no time at all', () => later('closed', { afterMs: 0 }), 0],
    ['the longest time', () => later('closed', { afterMs: 30 * 24 * HOUR_MS }), 30 * 24 * 60],
    ['the usual backoff', () => later('closed'), 1],
  ])('defers the event at once, due after %s', async (_what, error, minutes) => {
    const handler = handlerOf(fail(error))
    await withHandlers(handler, async inbox => {
      expect(await inbox.send(event)).toEqual(deferred)
      expect(handler.runs).toHaveLength(1)
      expect(await inbox.rows()).toMatchObject([{ outcome: null, attempts: 1, error: 'closed', due: true, paths: null }])
      expect(await dueInMinutes(inbox)).toEqual([minutes])
      expect(await done(inbox)).toEqual([])
      expect(inbox.service.counters.get('events', 'standard', 'deferred')).toBe(1)
      expect(inbox.lines.filter(({ event: name }) => String(name).startsWith('webhook.'))).toMatchObject([
        { event: 'webhook.deferred', code: 'closed' },
      ])
      expect(await inbox.send(event)).toEqual({ status: 200, body: { outcome: 'duplicate', first: 'deferred' } })
      expect(handler.runs).toHaveLength(1)
    })
  })

  it('is the same when a handler returns it', async () => {
    const handler = handlerOf(() => later('closed', { afterMs: HOUR_MS }))
    await withHandlers(handler, async inbox => {
      expect(await inbox.send(event)).toEqual(deferred)
      expect([await dueInMinutes(inbox), await done(inbox)]).toEqual([[60], []])
    })
  })

  it('is the same without the database', async () => {
    const handler = handlerOf(
      fail(() => later('closed', { afterMs: HOUR_MS })),
      false,
    )
    await withHandlers(handler, async inbox => {
      expect(await inbox.send(event)).toEqual(deferred)
      expect([handler.runs.length, await dueInMinutes(inbox)]).toEqual([1, [60]])
      expect(await inbox.attempt()).toEqual({ applied: 0, deferred: 0, parked: 0 })
      await inbox.allDue()
      expect(await inbox.attempt(succeeds.handlers)).toMatchObject({ applied: 1 })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'applied', attempts: 2, error: null }])
    })
  })

  it('counts as one of the later attempts, each run of which it takes once', async () => {
    const handler = handlerOf(fail(() => later('closed', { afterMs: 0 })))
    await withHandlers(handler, async inbox => {
      await inbox.send(event)
      for (let attempts = 2; attempts < MOST_ATTEMPTS; attempts += 1) {
        expect(await inbox.attempt()).toEqual({ applied: 0, deferred: 1, parked: 0 })
        expect(await inbox.rows()).toMatchObject([{ outcome: null, attempts, error: 'closed', due: true }])
      }
      expect(await inbox.attempt()).toEqual({ applied: 0, deferred: 0, parked: 1 })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'failed', attempts: MOST_ATTEMPTS, error: 'closed', due: false }])
      expect([handler.runs.length, await done(inbox)]).toEqual([MOST_ATTEMPTS, []])
    })
  })

  it('is due after its own time from a later attempt too', async () => {
    await withHandlers(handlerOf(fail(() => later('closed', { afterMs: HOUR_MS }))), async inbox => {
      await inbox.send(event)
      await inbox.allDue()
      expect(await inbox.attempt()).toMatchObject({ deferred: 1 })
      expect(await dueInMinutes(inbox)).toEqual([60])
      expect(await inbox.attempt(succeeds.handlers)).toEqual({ applied: 0, deferred: 0, parked: 0 })
    })
  })

  it('waits longer by default after each attempt', async () => {
    await withHandlers(handlerOf(fail(() => later('closed'))), async inbox => {
      await inbox.send(event)
      const minutes = [await dueInMinutes(inbox)]
      for (let n = 0; n < 2; n += 1) {
        await inbox.allDue()
        await inbox.attempt()
        minutes.push(await dueInMinutes(inbox))
      }
      expect(minutes).toEqual([[1], [2], [4]])
    })
  })

  it('defers a parked event that is delivered again', async () => {
    let error = (): unknown => new Error('no')
    const handler = handlerOf(fail(() => error()))
    await withHandlers({ ...handler, poisonStatus: 500 }, async inbox => {
      expect(await inbox.send(event)).toMatchObject({ status: 500, body: { code: 'event-failed' } })
      error = () => later('closed', { afterMs: HOUR_MS })
      expect(await inbox.send(event)).toEqual(deferred)
      expect(await inbox.rows()).toMatchObject([{ outcome: null, attempts: 1, error: 'closed', due: true }])
      expect([await dueInMinutes(inbox), await done(inbox)]).toEqual([[60], []])
    })
  })

  it('leaves a parked event whose id comes with another body', async () => {
    let error = (): unknown => new Error('no')
    await withHandlers({ ...handlerOf(fail(() => error())), poisonStatus: 500 }, async inbox => {
      await inbox.send(event)
      error = () => later('closed')
      expect(await inbox.send({ ...event, other: 1 })).toEqual({ status: 200, body: { outcome: 'duplicate', first: 'failed' } })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'failed', error: 'failed', due: false }])
    })
  })

  it.each<[string, () => unknown]>([
    ['a negative time', () => later('closed', { afterMs: -1 })],
    ['no number', () => later('closed', { afterMs: Number.NaN })],
    ['endless time', () => later('closed', { afterMs: Infinity })],
    ['a time beyond the bound', () => later('closed', { afterMs: 1e12 })],
    ['text for a time', () => later('closed', { afterMs: '5' as never })],
    ['an empty code', () => later('')],
  ])('parks the event with a clear code for %s', async (_what, error) => {
    await withHandlers(handlerOf(fail(error)), async inbox => {
      expect(await inbox.send(event)).toEqual({ status: 200, body: { outcome: 'failed' } })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'failed', error: 'later-invalid', due: false, body: true }])
      expect(inbox.lines).toContainEqual(
        expect.objectContaining({
          event: 'webhook.failed',
          error: expect.objectContaining({ message: expect.stringMatching(/^later\(\) needs/) as string }) as object,
        }),
      )
      expect(await done(inbox)).toEqual([])
    })
  })

  it('leaves `retryable` its meaning: tried again within the delivery', async () => {
    let left = 2
    const handler = handlerOf(() => {
      if ((left -= 1) >= 0) throw new ApplicationError('Busy.', { code: 'busy', status: 503, retryable: true })
    })
    await withHandlers(handler, async inbox => {
      expect(await inbox.send(event)).toEqual({ status: 200, body: { outcome: 'applied' } })
      expect([handler.runs.length, await done(inbox)]).toEqual([3, [{ id: 'evt_1' }]])
    })
  })
})

describe.skipIf(!hasRedis())('later, while the database is away', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))
  const buffered = { status: 202, body: { outcome: 'buffered' } }

  it.each<[string, number | undefined, number]>([
    ['its own time', 2 * HOUR_MS, 120],
    ['the usual backoff', undefined, 1],
    ['no time at all', 0, 0],
  ])('is kept in the buffer with %s', async (_what, afterMs, minutes) => {
    const handler = handlerOf(
      fail(() => later('closed', { afterMs })),
      false,
    )
    await withHandlers({ ...handler, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toEqual(buffered)
      })
      expect(await inbox.drain()).toEqual({ drained: 1, parked: 0, left: 0 })
      expect(handler.runs).toHaveLength(1)
      expect(await inbox.rows()).toMatchObject([{ outcome: null, attempts: 1, error: 'closed', due: true }])
      expect(await dueInMinutes(inbox)).toEqual([minutes])
      expect(inbox.service.counters.get('events', 'standard', 'deferred')).toBe(1)
    })
  })

  it('is due at once when its time passed in the buffer', async () => {
    const handler = handlerOf(
      fail(() => later('closed', { afterMs: 1 })),
      false,
    )
    await withHandlers({ ...handler, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toEqual(buffered)
      })
      expect(await inbox.drain()).toMatchObject({ drained: 1 })
      expect(await inbox.attempt(succeeds.handlers)).toMatchObject({ applied: 1 })
    })
  })

  it('is thrown by the drain for a handler that needs the database', async () => {
    const handler = handlerOf(fail(() => later('closed', { afterMs: HOUR_MS })))
    await withHandlers({ ...handler, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toEqual(buffered)
      })
      expect(handler.runs).toHaveLength(0)
      expect(await inbox.drain()).toMatchObject({ drained: 1 })
      expect([handler.runs.length, await dueInMinutes(inbox), await done(inbox)]).toEqual([1, [60], []])
    })
  })

  it.each([true, false])('is buffered when the database goes away before it is stored (needs it: %s)', async needsDatabase => {
    let goAway: (() => Promise<void>) | undefined
    const handler = handlerOf(async () => {
      await goAway?.()
      throw later('closed', { afterMs: HOUR_MS })
    }, needsDatabase)
    await withHandlers({ ...handler, redis }, async inbox => {
      goAway = async () => {
        await inbox.proxy.refuse('unreachable')
        inbox.proxy.cutAll('reset')
      }
      expect(await inbox.send(event, { remainingMs: 4_000 })).toEqual(buffered)
      expect(handler.runs).toHaveLength(1)
      await inbox.proxy.accept()
      expect(await inbox.drain()).toMatchObject({ drained: 1 })
      expect([handler.runs.length, await dueInMinutes(inbox), await done(inbox)]).toEqual([1, [60], []])
    })
  })

  it('sends the sender away without a buffer', async () => {
    const handler = handlerOf(
      fail(() => later('closed')),
      false,
    )
    await withHandlers(handler, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toMatchObject({ status: 503, body: { code: 'database-unavailable' } })
      })
      expect([handler.runs.length, await inbox.rows()]).toEqual([1, []])
    })
  })

  it('parks a bad one when it is drained', async () => {
    const handler = handlerOf(
      fail(() => later('closed', { afterMs: -1 })),
      false,
    )
    await withHandlers({ ...handler, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toEqual(buffered)
      })
      expect(await inbox.drain()).toMatchObject({ drained: 1 })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'failed', error: 'later-invalid' }])
    })
  })
})
