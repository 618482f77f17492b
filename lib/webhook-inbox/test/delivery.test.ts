import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { instantSchema } from '../../functions-runtime/src/content/instant.ts'
import { keptHeaders, readDelivery, type Delivery } from '../src/inbox/delivery.ts'
import { failureNote } from '../src/inbox/failure-note.ts'
import { defineHandler, type DatabaseHandler } from '../src/inbox/handler.ts'
import type { DescribedSource } from '../src/verify/source.ts'

const source = (handler: Partial<DatabaseHandler> = {}): DescribedSource => ({
  name: 's',
  scheme: 'hmac',
  eventId: { header: 'X-Id' },
  type: { pointer: '/type' },
  data: '/data',
  handlers: new Map([
    [
      't',
      defineHandler({
        type: 't',
        schema: z.object({ user: z.string(), n: z.number() }),
        needsDatabase: true,
        apply: async () => undefined,
        ...handler,
      }),
    ],
  ]),
  answerWithinMs: undefined,
  replayGuard: undefined,
  bodyVaries: false,
})

function deliver(
  body: unknown,
  handler: Partial<DatabaseHandler> = {},
  headers: Record<string, string> = {},
  ofSource: Pick<DescribedSource, 'concerns'> = {},
) {
  const delivery: Delivery = {
    source: 's',
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    headers: { 'content-type': 'application/json', 'x-id': 'evt_1', ...headers },
    verdict: 'hmac',
    receivedAt: new Date(0),
  }
  return readDelivery(delivery, { ...source(handler), ...ofSource })
}

const concerns = (data: { user: string }) => data.user
const explode = (): never => {
  throw new TypeError('no')
}
const good = { type: 't', data: { user: 'usr_1', n: 1 } }

describe('a delivery whose content fits', () => {
  it('has data and no fault', () => {
    expect(deliver(good, { concerns })).toMatchObject({ event: { type: 't', data: good.data }, concerns: 'usr_1', fault: undefined })
  })

  it('has no data and no fault without a handler', () => {
    expect(deliver({ type: 'other', data: 1 })).toMatchObject({ event: { type: 'other', data: undefined }, handler: undefined, fault: undefined })
  })
})

it('takes a schema that transforms', () => {
  const schema = z.object({ at: instantSchema, n: z.pipe(z.string(), z.transform(Number)) })
  const { event, fault } = deliver({ type: 't', data: { at: '2026-01-01T01:00:00+01:00', n: '7' } }, { schema: schema })
  expect([event.data, fault]).toEqual([{ at: '2026-01-01T00:00:00.000Z', n: 7 }, undefined])
})

describe('a delivery whose content does not fit', () => {
  it.each([
    ['a missing field', { type: 't', data: { user: 'usr_1' } }, ['/data/n']],
    ['a wrong type', { type: 't', data: { user: 'usr_1', n: '1' } }, ['/data/n']],
    ['several faults', { type: 't', data: {} }, ['/data/user', '/data/n']],
    ['no data', { type: 't' }, ['/data']],
    ['another form', [], ['/type']],
    ['no type', { data: good.data }, ['/type']],
  ])('keeps id and paths with %s', (_what, body, paths) => {
    const { event, fault } = deliver(body)
    expect(event).toMatchObject({ id: 'evt_1', data: undefined })
    expect(failureNote(fault)).toEqual({ code: 'content-invalid', invalidPaths: paths })
  })

  it('shows a type that cannot be read as unknown', () => {
    expect(deliver({}).event.type).toBe('(unknown)')
  })

  it.each([
    ['the user that its content names', { user: 'usr_1' }, 'usr_1'],
    ['no user without one', {}, null],
    ['no user without data', undefined, null],
    ['no user of another type', { user: 7 }, null],
    ['no user that the table cannot hold', { user: 'a\0b' }, null],
  ])('concerns %s', (_what, data, user) => {
    expect(deliver({ type: 't', data }, { concerns }).concerns).toBe(user)
  })
})

describe('a source that says whom its events are about', () => {
  const ofSource = { concerns: ({ data }: { data: unknown }) => (data as { buyer?: string }).buyer }
  it.each([
    ['an event without a handler', { type: 'other', data: { buyer: 'usr_2' } }, {}, 'usr_2'],
    ['an event whose handler does not say', { type: 't', data: { user: 'usr_1', n: 1, buyer: 'usr_2' } }, {}, 'usr_2'],
    ['no event whose handler says so itself', { type: 't', data: { user: 'usr_1', n: 1, buyer: 'usr_2' } }, { concerns }, 'usr_1'],
    ['content that does not fit', { type: 't', data: { user: 7, buyer: 'usr_2' } }, { concerns }, 'usr_2'],
    ['an event without a type', { data: { buyer: 'usr_2' } }, {}, 'usr_2'],
    ['nobody without data', { type: 'other' }, {}, null],
    ['nobody when it does not know', { type: 'other', data: {} }, {}, null],
  ])('decides for %s', (_what, body, handler, user) => {
    expect(deliver(body, handler, {}, ofSource).concerns).toBe(user)
  })

  it.each([
    ['throws', explode],
    ['returns NUL', () => 'a\0b'],
    ['returns a promise', (async () => 'usr_1') as never],
  ])('parks an event without a handler when it %s', (_what, wrong) => {
    const { fault, concerns: user } = deliver({ type: 'other', data: {} }, {}, {}, { concerns: wrong })
    expect([failureNote(fault).code, user]).toEqual(['concerns-failed', null])
  })
})

describe('a handler that fails while its event is read', () => {
  const throwing = z.pipe(z.unknown(), z.transform(explode)) as never
  const asynchronous = z.unknown().check(z.refine(async () => true)) as never
  const rejects = async (): Promise<never> => explode()
  const endless: z.ZodMiniType = z.lazy(() =>
    z.pipe(
      z.unknown(),
      z.lazy(() => endless),
    ),
  )

  it.each([
    ['a schema that throws', { schema: throwing }, 'schema-failed'],
    ['a schema that is asynchronous', { schema: asynchronous }, 'schema-failed'],
    ['a schema that never ends', { schema: endless as never }, 'schema-failed'],
    ['no schema at all', { schema: undefined as never }, 'schema-failed'],
    ['a concerns that throws', { concerns: explode }, 'concerns-failed'],
    ['a concerns that returns NUL', { concerns: () => 'a\0b' }, 'concerns-failed'],
    ['a concerns that returns an empty text', { concerns: () => '' }, 'concerns-failed'],
    ['a concerns that returns too long a text', { concerns: () => 'x'.repeat(201) }, 'concerns-failed'],
    ['a concerns that returns a promise', { concerns: (async () => 'usr_1') as never }, 'concerns-failed'],
    ['a concerns that rejects', { concerns: rejects as never }, 'concerns-failed'],
  ])('leaves the event to a person: %s', (_what, handler, code) => {
    const { event, fault, concerns: user } = deliver(good, handler)
    expect(event.id).toBe('evt_1')
    expect(failureNote(fault)).toEqual({ code, invalidPaths: null })
    expect(user).toBeNull()
  })

  it('leaves no rejection of a concerns, which would end the process', async () => {
    const rejections: unknown[] = []
    const listen = (reason: unknown) => void rejections.push(reason)
    process.on('unhandledRejection', listen)
    deliver(good, { concerns: rejects as never })
    deliver({ type: 't' }, { concerns: rejects as never })
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(rejections).toEqual([])
  })

  it('may name no user', () => {
    expect(deliver(good, { concerns: (() => undefined) as never })).toMatchObject({ concerns: null, fault: undefined })
  })
})

describe('the headers that are kept', () => {
  const described = { ...source(), type: { header: 'x-type' } }

  it('lose what a table cannot hold, and are cut', () => {
    const kept = keptHeaders({ 'user-agent': `a\0b${'x'.repeat(400)}`, 'x-id': 'evt_1', 'x-type': 't', 'x-signature': 's' }, described)
    expect(kept).toEqual({ 'user-agent': `ab${'x'.repeat(297)}`, 'x-id': 'evt_1', 'x-type': 't' })
  })

  it('hold no repaired id or type', () => {
    expect(keptHeaders({ 'x-id': 'a\0b', 'x-type': 'a\ud800' }, described)).toEqual({})
  })
})

describe('what is stored of a failure', () => {
  it.each([
    [Object.assign(new Error('x'), { code: '' }), 'failed'],
    [Object.assign(new Error('x'), { code: 'a\0b' }), 'ab'],
    [Object.assign(new Error('x'), { code: 'x'.repeat(300) }), 'x'.repeat(100)],
    [Object.assign(new Error('x'), { code: 7 }), 'failed'],
    ['text', 'failed'],
    [null, 'failed'],
  ])('is a code that the table takes', (error, code) => {
    expect(failureNote(error)).toEqual({ code, invalidPaths: null })
  })

  it('is a few short paths without repetition, NUL or lone surrogates', () => {
    const issues = ['a\0b', 'a\0b', 'a\ud800', 'x'.repeat(300), ...Array.from({ length: 20 }, (_, n) => `/${n}`)]
    const data = Object.fromEntries(issues.map(key => [key, 'no number']))
    const { fault } = deliver({ type: 't', data }, { schema: z.record(z.string(), z.number()) })
    const { invalidPaths } = failureNote(fault)
    expect(invalidPaths).toHaveLength(10)
    expect(new Set(invalidPaths).size).toBe(10)
    expect(invalidPaths?.every(path => path.length <= 100 && path.isWellFormed() && !path.includes('\0'))).toBe(true)
  })
})
