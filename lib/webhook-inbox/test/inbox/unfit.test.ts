import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler, later, type WebhookHandler } from '../../src/inbox/handler.ts'
import { hostileValue } from '../../../functions-devkit/test/support/hostile-values.ts'
import { withInbox, type Inbox, type InboxOptions, type Sent } from '../../../functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

/** A handler that writes each event down, for content with a number `n`. */
const handlerOf = (changes: object = {}): WebhookHandler =>
  defineHandler({
    type: 'order.paid',
    schema: z.object({ n: z.number() }),
    needsDatabase: true,
    async apply({ id }, { query }) {
      await query('INSERT INTO done VALUES ($id)', { id })
    },
    ...changes,
  })
const handlers = [handlerOf()]
const mended = [handlerOf({ schema: z.unknown() })]
const unfit = { type: 'order.paid', data: { n: 'seven' } }

async function withHandlers(work: (inbox: Inbox) => Promise<void>, options: Partial<InboxOptions> = {}): Promise<void> {
  await withInbox({ handlers, ...options }, async inbox => {
    await inbox.database.query('CREATE TABLE done (id text)')
    await work(inbox)
  })
}
const done = async ({ database }: Inbox) => (await database.query<{ id: string }>('SELECT id FROM done ORDER BY 1')).map(({ id }) => id)
const parked = { outcome: 'failed', attempts: 1, due: false, processed: false, body: true }
const idOf = async ({ database }: Inbox) => (await database.query<{ id: string }>('SELECT id FROM webhook_events'))[0]?.id ?? ''

const explode = (): never => {
  throw new TypeError('no')
}
type Variant = [what: string, body: string | object, row: object, sent: Sent, handlers: readonly WebhookHandler[]]
const variants: Variant[] = [
  ['a value of another type', unfit, { error: 'content-invalid', paths: ['/data/n'], type: 'order.paid' }, {}, handlers],
  ['a missing member', { type: 'order.paid', data: {} }, { error: 'content-invalid', paths: ['/data/n'] }, {}, handlers],
  ['no data', { type: 'order.paid' }, { error: 'content-invalid', paths: ['/data'] }, {}, handlers],
  ['no type', { data: { n: 1 } }, { error: 'content-invalid', paths: ['/type'], type: '(unknown)' }, {}, handlers],
  ['a type that is no text', { type: 7 }, { error: 'content-invalid', paths: ['/type'], type: '(unknown)' }, {}, handlers],
  ['a type with NUL', { type: 'a\0b' }, { error: 'content-invalid', paths: ['/type'] }, {}, handlers],
  ['too long a type', { type: 'x'.repeat(256) }, { error: 'content-invalid', paths: ['/type'] }, {}, handlers],
  ['a list in place of an object', [1], { error: 'content-invalid', paths: ['/type'] }, {}, handlers],
  ['half a JSON', '{"type":', { error: 'json-unreadable', paths: null, type: '(unknown)' }, {}, handlers],
  ['no body', '', { error: 'json-unreadable', paths: null }, {}, handlers],
  ['a form', 'payload=1', { error: 'content-type-unsupported', paths: null }, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, handlers],
  ['JSON that is called text', unfit, { error: 'content-type-unsupported', type: 'order.paid' }, { headers: { 'content-type': 'text/plain' } }, handlers],
  ['JSON with an id that is called text', { id: 'evt_1', ...unfit }, { error: 'content-type-unsupported' }, { source: 'partner', headers: { 'content-type': 'text/plain' } }, handlers],
  ['a numeric id and no type', '{"id":7}', { id: '7', error: 'content-invalid', paths: ['/type'] }, { source: 'partner' }, handlers],
  ['keys that no text column takes', '{"type":"order.paid","data":{"a\\u0000b":1,"\\ud800":2}}', { error: 'content-invalid' }, {}, [handlerOf({ schema: z.record(z.string(), z.string()) })]],
  ['a schema that throws', unfit, { error: 'schema-failed', paths: null }, {}, [handlerOf({ schema: z.pipe(z.unknown(), z.transform(explode)) })]],
  ['a schema that is asynchronous', unfit, { error: 'schema-failed' }, {}, [handlerOf({ schema: z.unknown().check(z.refine(async () => true)) })]],
  ['a concerns that throws', { type: 'order.paid', data: { n: 1 } }, { error: 'concerns-failed', concerns: null }, {}, [handlerOf({ concerns: explode })]],
  ['a concerns that the table cannot hold', { type: 'order.paid', data: { n: 1 } }, { error: 'concerns-failed' }, {}, [handlerOf({ concerns: () => 'a\0b' })]],
  ['a handler that needs no database', unfit, { error: 'content-invalid', paths: ['/data/n'] }, {}, [handlerOf({ needsDatabase: false, apply: explode })]],
] // prettier-ignore

describe('a verified event that does not fit', () => {
  it.each(variants)('is parked with %s', async (_what, body, row, sent, given) => {
    await withHandlers(
      async inbox => {
        expect(await inbox.send(body, sent)).toEqual({ status: 200, body: { outcome: 'failed' } })
        expect(await inbox.rows()).toMatchObject([{ id: 'evt_1', ...parked, ...row }])
        expect(inbox.service.counters.get('events', sent.source ?? 'standard', 'parked')).toBe(1)
        expect(inbox.lines.filter(({ event }) => event === 'webhook.failed')).toMatchObject([{ level: 'error', failure: 'permanent' }])
        expect(await done(inbox)).toEqual([])
        expect(await inbox.send(body, sent)).toEqual({ status: 200, body: { outcome: 'duplicate', first: 'failed' } })
        expect(await inbox.rows()).toHaveLength(1)
      },
      { handlers: given },
    )
  })

  it('shows a person where it does not fit, never a value', async () => {
    await withHandlers(async inbox => {
      await inbox.send({ type: 'order.paid', data: { n: 'secret' } })
      const list = await inbox.manage({ action: 'list' })
      const show = await inbox.manage({ action: 'show', id: await idOf(inbox) })
      expect([list, show]).toMatchObject([
        { events: [{ lastError: 'content-invalid', invalidPaths: ['/data/n'], state: 'parked' }] },
        { event: { lastError: 'content-invalid', invalidPaths: ['/data/n'] } },
      ])
      expect(JSON.stringify([list, show, inbox.lines])).not.toContain('secret')
    })
  })

  it('is applied once by a retry after its handler was mended', async () => {
    await withHandlers(async inbox => {
      await inbox.send(unfit)
      await inbox.manage({ action: 'retry', id: 'all' })
      expect(await inbox.attempt()).toEqual({ applied: 0, deferred: 0, parked: 1 })
      expect(await inbox.rows()).toMatchObject([{ ...parked, error: 'content-invalid', paths: ['/data/n'] }])
      await inbox.manage({ action: 'retry', id: await idOf(inbox) })
      expect(await inbox.attempt(mended)).toEqual({ applied: 1, deferred: 0, parked: 0 })
      expect(await inbox.rows()).toMatchObject([{ outcome: 'applied', error: null, paths: null, processed: true }])
      expect(await done(inbox)).toEqual(['evt_1'])
      expect(await inbox.send(unfit)).toMatchObject({ body: { outcome: 'duplicate', first: 'applied' } })
    })
  })

  it('is taken up by its next delivery where senders are to send again', async () => {
    await withHandlers(
      async inbox => {
        for (let n = 0; n < 2; n += 1) expect(await inbox.send(unfit)).toMatchObject({ status: 500, body: { code: 'event-failed' } })
        expect(await inbox.rows()).toMatchObject([parked])
        await withMended(inbox, async again => expect(await again()).toEqual({ status: 200, body: { outcome: 'applied' } }))
        expect(await inbox.rows()).toMatchObject([{ outcome: 'applied', error: null, paths: null }])
        expect(await done(inbox)).toEqual(['evt_1'])
      },
      { poisonStatus: 500, handlers: [handlerOf({ schema: flaky })] },
    )
  })

  it('is parked by a later attempt that finds it unfit', async () => {
    const lenient = handlerOf({
      schema: z.unknown(),
      async apply() {
        throw later('closed', { afterMs: 0 })
      },
    })
    await withHandlers(
      async inbox => {
        expect(await inbox.send(unfit)).toMatchObject({ status: 202, body: { outcome: 'deferred' } })
        expect(await inbox.attempt(handlers)).toEqual({ applied: 0, deferred: 0, parked: 1 })
        expect(await inbox.rows()).toMatchObject([{ ...parked, attempts: 2, error: 'content-invalid', paths: ['/data/n'] }])
        expect(inbox.lines.filter(({ event }) => event === 'webhook.failed')).toMatchObject([{ failure: 'permanent', invalidPaths: ['/data/n'] }])
      },
      { handlers: [lenient] },
    )
  })

  it('gets its type and its user once they can be read', async () => {
    const named = [handlerOf({ schema: z.object({ n: z.number(), user: z.string() }), concerns: ({ user }: { user: string }) => user })]
    await withHandlers(
      async inbox => {
        await inbox.send({ type: 'order.paid', data: { n: 1 } })
        await inbox.send({ type: 'order.paid', data: { user: 'usr_1' } }, { id: 'evt_2' })
        await inbox.database.query("UPDATE webhook_events SET type = '(unknown)', concerns = NULL")
        await inbox.manage({ action: 'retry', id: 'all' })
        expect(await inbox.attempt([handlerOf({ concerns: () => 'usr_2' })])).toMatchObject({ applied: 1, parked: 1 })
        expect(await inbox.rows()).toMatchObject([
          { id: 'evt_1', outcome: 'applied', type: 'order.paid', concerns: 'usr_2' },
          { id: 'evt_2', outcome: 'failed', type: 'order.paid', concerns: 'usr_2', paths: ['/data/n'] },
        ])
      },
      { handlers: named },
    )
  })

  it('waits for another delivery of it that is being worked on', async () => {
    await withHandlers(
      async inbox => {
        await inbox.database.query('BEGIN')
        await inbox.database.query(
          "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 'standard', 'evt_1', 't', now())",
        )
        expect(await inbox.send(unfit, { remainingMs: 4_000 })).toMatchObject({ status: 503, body: { code: 'event-in-progress' } })
        await inbox.database.query('ROLLBACK')
        expect(await inbox.send(unfit)).toMatchObject({ status: 200, body: { outcome: 'failed' } })
      },
    ) // prettier-ignore
  })

  it('is stored whatever a sender signs', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.json(),
      hostileValue.map(value => JSON.stringify(value) ?? ''),
    )
    const content = fc.record({ type: fc.oneof(fc.constant('order.paid'), hostileValue), data: hostileValue }).map(value => JSON.stringify(value))
    const types = fc.constantFrom('application/json', 'application/cloudevents+json', 'text/plain', '', 'a/b; c="')
    await withHandlers(async inbox => {
      const outcomes = new Set<unknown>()
      let sent = 0
      const send = async (body: string, contentType: string) => {
        sent += 1
        const { status, body: answer } = await inbox.send(body, { id: `evt_${sent}`, headers: { 'content-type': contentType } })
        expect(status).toBe(200)
        outcomes.add(answer.outcome)
      }
      // One of each outcome in any case.
      const examples: [string, string][] = ['order.paid', 'order.unknown'].map(type => [JSON.stringify({ type, data: {} }), 'application/json'])
      await fc.assert(fc.asyncProperty(fc.oneof(text, content), types, send), { numRuns: 150, examples, endOnFailure: true })
      expect(await inbox.rows()).toHaveLength(sent)
      expect([...outcomes].sort()).toEqual(['failed', 'ignored'])
    })
  })

  it('leaves nothing about a user who was erased', async () => {
    const about = [handlerOf({ concerns: ({ user }: { user: string }) => user })]
    await withHandlers(
      async inbox => {
        await inbox.database.query(
          "INSERT INTO users (id, external_id, erased_at, created_at, updated_at) VALUES (gen_random_uuid(), 'usr_1', now(), now(), now())",
        )
        await inbox.send({ type: 'order.paid', data: { user: 'usr_1' } })
        expect(await inbox.rows()).toMatchObject([{ outcome: 'ignored', body: false, concerns: null, paths: null, processed: true }])
      },
      { handlers: about },
    )
  })
})

let fits = false
/** Takes everything once `fits` says so, as after a deployment. */
const flaky = z.unknown().check(z.refine(() => fits))
async function withMended(inbox: Inbox, work: (again: () => ReturnType<Inbox['send']>) => Promise<void>): Promise<void> {
  fits = true
  await work(() => inbox.send(unfit)).finally(() => (fits = false))
}

describe.skipIf(!hasRedis())('a verified event that does not fit while the database is away', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  it.each<[string, string | object, object, Sent]>([
    ['a value of another type', unfit, { error: 'content-invalid', paths: ['/data/n'] }, {}],
    ['no type', {}, { error: 'content-invalid', paths: ['/type'], type: '(unknown)' }, {}],
    ['no JSON', '{', { error: 'json-unreadable' }, {}],
    ['a form', 'a=1', { error: 'content-type-unsupported' }, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['an id in its body', { id: 'evt_1', ...unfit }, { error: 'content-invalid' }, { source: 'partner' }],
  ])('is buffered, and parked when it is drained: %s', async (_what, body, row, sent) => {
    await withHandlers(
      async inbox => {
        await inbox.away(async () => {
          expect(await inbox.send(body, { remainingMs: 2_500, ...sent })).toEqual({ status: 202, body: { outcome: 'buffered' } })
        })
        expect(await inbox.drain()).toEqual({ drained: 1, parked: 0, left: 0 })
        expect(await inbox.rows()).toMatchObject([{ id: 'evt_1', ...parked, ...row }])
        expect(inbox.service.counters.get('events', sent.source ?? 'standard', 'parked')).toBe(1)
        expect(await redis.command('XLEN', '{webhooks}:parked')).toBe(0)
      },
      { redis },
    )
  })

  it('never reaches a handler that needs no database', async () => {
    let ran = 0
    const bare = handlerOf({ needsDatabase: false, apply: async () => void (ran += 1) })
    await withHandlers(
      async inbox => {
        await inbox.away(async () => {
          expect(await inbox.send(unfit, { remainingMs: 2_500 })).toMatchObject({ status: 202 })
        })
        expect(await inbox.drain()).toMatchObject({ drained: 1 })
        expect([ran, (await inbox.rows())[0]]).toMatchObject([0, parked])
      },
      { redis, handlers: [bare] },
    )
  })

  it('counts as applied when its handler took it before it was changed', async () => {
    const bare = handlerOf({ needsDatabase: false, apply: async () => undefined, schema: z.unknown() })
    await withHandlers(
      async inbox => {
        await inbox.away(async () => {
          expect(await inbox.send(unfit, { remainingMs: 2_500 })).toEqual({ status: 200, body: { outcome: 'applied' } })
        })
        expect(await inbox.drain([handlerOf({ needsDatabase: false, apply: explode })])).toMatchObject({ drained: 1 })
        expect(await inbox.rows()).toMatchObject([{ outcome: 'applied', error: null }])
      },
      { redis, handlers: [bare] },
    )
  })

  it('is refused without a buffer, so that it comes again', async () => {
    await withHandlers(async inbox => {
      await inbox.away(async () => {
        expect(await inbox.send(unfit, { remainingMs: 2_500 })).toMatchObject({ status: 503, body: { code: 'database-unavailable' } })
      })
      expect(await inbox.rows()).toEqual([])
    })
  })
})

describe('a delivery that cannot be stored', () => {
  it.each<[string, string, Sent, number, string]>([
    ['too large a body', 'x'.repeat(768_001), {}, 413, 'body-too-large'],
    ['a content encoding', '{}', { headers: { 'content-encoding': 'gzip' } }, 415, 'content-encoding-unsupported'],
    ['another signature', '{}', { headers: { 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` } }, 401, 'signature-mismatch'],
    ['no id', '{"type":"t"}', { source: 'partner' }, 422, 'event-id-missing'],
    ['an inexact id', '{"id":12345678901234567890}', { source: 'partner' }, 422, 'event-id-invalid'],
    ['too long an id', '{}', { id: 'x'.repeat(256) }, 422, 'event-id-invalid'],
    ['an id with NUL', '{}', { id: 'a\0b' }, 422, 'event-id-invalid'],
    ['no JSON where its id would be', '{', { source: 'partner' }, 400, 'json-unreadable'],
  ])('is counted and logged with its reason: %s', async (_what, body, sent, status, code) => {
    await withHandlers(async inbox => {
      expect(await inbox.send(body, sent)).toMatchObject({ status, body: { code } })
      const source = sent.source ?? 'standard'
      expect(inbox.service.counters.get('events', source, code)).toBe(1)
      expect(inbox.lines.filter(({ event }) => event === 'webhook.refused')).toMatchObject([{ level: 'warn', source, code }])
      expect(await inbox.rows()).toEqual([])
    })
  })
})
