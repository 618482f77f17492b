import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler, later } from '../../src/inbox/handler.ts'
import { withInbox, type Inbox, type InboxOptions } from '../../../functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

const event = { type: 'order.paid', data: { n: 1 } }
const other = { type: 'order.refunded', data: { n: 2 } }

interface Story {
  readonly runs: string[]
  readonly options: InboxOptions
}

/** A source with a handler of its own for one of two types that have a common handler; `put off`: its first run is deferred. */
function storyOf({ putOff = false, needsDatabase = true, alone = false } = {}): Story {
  const runs: string[] = []
  const handlerOf = (name: string, type: string, end: () => void) =>
    defineHandler({
      type,
      schema: z.object({ n: z.number() }),
      needsDatabase: needsDatabase as true,
      async apply({ id }) {
        runs.push(`${name} ${id}`)
        end()
      },
    })
  const own = handlerOf('own', event.type, () => {
    if (putOff && runs.length === 1) throw later('closed')
  })
  const handlers = [event, other].map(({ type }) => handlerOf('common', type, () => undefined))
  return { runs, options: { handlers, own: { handlers: [own], ...(alone ? { commonHandlers: false } : {}) } } }
}

const outcomes = async (inbox: Inbox) => (await inbox.rows()).map(({ id, outcome }) => [id, outcome])

describe('a type that a source and the application have a handler for', () => {
  it('is applied by the handler of the source', async () => {
    const { runs, options } = storyOf()
    await withInbox(options, async inbox => {
      expect(await inbox.send(event, { id: 'a' })).toEqual({ status: 200, body: { outcome: 'applied' } })
      expect(await inbox.send(other, { id: 'b' })).toEqual({ status: 200, body: { outcome: 'applied' } })
      expect(await inbox.send({ ...event, id: 'c' }, { source: 'partner' })).toEqual({ status: 200, body: { outcome: 'applied' } })
      expect(runs).toEqual(['own a', 'common b', 'common c'])
    })
  })

  it('is applied by it in a later attempt', async () => {
    const { runs, options } = storyOf({ putOff: true })
    await withInbox(options, async inbox => {
      expect(await inbox.send(event)).toEqual({ status: 202, body: { outcome: 'deferred' } })
      await inbox.allDue()
      await inbox.attempt()
      expect(runs).toEqual(['own evt_1', 'own evt_1'])
      expect(await inbox.rows()).toMatchObject([{ outcome: 'applied', attempts: 2, processed: true }])
    })
  })

  it('is checked against the schema of that handler when retried', async () => {
    const { options } = storyOf()
    await withInbox(options, async inbox => {
      expect(await inbox.send({ ...event, data: {} })).toEqual({ status: 200, body: { outcome: 'failed' } })
      await inbox.manage({ action: 'retry', id: 'all' })
      await inbox.attempt([])
      expect(await inbox.rows()).toMatchObject([{ outcome: 'failed', paths: ['/data/n'] }])
    })
  })
})

it('a source with own handlers alone ignores other types, also later', async () => {
  const { runs, options } = storyOf({ alone: true, putOff: true })
  await withInbox(options, async inbox => {
    expect(await inbox.send(event, { id: 'a' })).toEqual({ status: 202, body: { outcome: 'deferred' } })
    expect(await inbox.send(other, { id: 'b' })).toEqual({ status: 200, body: { outcome: 'ignored' } })
    await inbox.allDue()
    await inbox.attempt()
    expect(runs).toEqual(['own a', 'own a'])
    expect(await outcomes(inbox)).toEqual([
      ['a', 'applied'],
      ['b', 'ignored'],
    ])
  })
})

describe.skipIf(!hasRedis())('the outage buffer', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  it('is drained by the handlers of the source first', async () => {
    const { runs, options } = storyOf()
    await withInbox({ ...options, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { id: 'a', remainingMs: 2_500 })).toEqual({ status: 202, body: { outcome: 'buffered' } })
      })
      await inbox.buffer(other, { id: 'b' })
      expect(runs).toEqual([])
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 0 })
      expect(runs).toEqual(['own a', 'common b'])
    })
  })

  it('is drained into nothing by a source without common handlers', async () => {
    const { runs, options } = storyOf({ alone: true })
    await withInbox({ ...options, redis }, async inbox => {
      await inbox.buffer(event, { id: 'a' })
      await inbox.buffer(other, { id: 'b' })
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 0 })
      expect(runs).toEqual(['own a'])
      expect(await outcomes(inbox)).toEqual([
        ['a', 'applied'],
        ['b', 'ignored'],
      ])
    })
  })

  it('records what an own handler did during the outage', async () => {
    const { runs, options } = storyOf({ needsDatabase: false })
    await withInbox({ ...options, redis }, async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(event, { remainingMs: 2_500 })).toEqual({ status: 200, body: { outcome: 'applied' } })
      })
      expect(await inbox.drain()).toEqual({ drained: 1, parked: 0, left: 0 })
      expect(runs).toEqual(['own evt_1'])
      expect(await inbox.rows()).toMatchObject([{ outcome: 'applied' }])
    })
  })
})
