import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler, later } from '../../src/inbox/handler.ts'
import { withInbox, type Inbox } from '../../../functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

const handlers = [
  defineHandler({
    type: 't',
    schema: z.looseObject({}),
    needsDatabase: true,
    concerns: data => (data as { user?: string }).user ?? 'usr_0',
    async apply() {},
  }),
]
const refuse = (condition: string, otherwise: string) =>
  `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF ${condition} THEN ${otherwise}; END IF; RETURN NEW; END $$;
   CREATE TRIGGER refuse BEFORE INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION refuse()`
const good = { type: 't', data: {} }

interface Variant {
  readonly what: string
  readonly sql: string
  readonly id?: string
  readonly body?: string | object
  readonly code: string
}

const variants: readonly Variant[] = [
  {
    what: 'an id with a character that its encoding lacks',
    sql: refuse('true', "PERFORM convert_to(NEW.external_id, 'LATIN1')"),
    id: 'evt_€',
    code: '22P05',
  },
  {
    what: 'a type with a character that its encoding lacks',
    sql: refuse('true', "PERFORM convert_to(NEW.type, 'LATIN1')"),
    body: { type: 'bezahlt.€', data: {} },
    code: '22P05',
  },
  {
    what: 'a user with a character that its encoding lacks',
    sql: refuse('true', "PERFORM convert_to(NEW.concerns, 'LATIN1')"),
    body: { type: 't', data: { user: 'usr_€' } },
    code: '22P05',
  },
  { what: 'an id that is too long', sql: 'ALTER TABLE webhook_events ALTER external_id TYPE varchar(8)', id: 'evt_123456789', code: '22001' },
  { what: 'an id that a constraint forbids', sql: "ALTER TABLE webhook_events ADD CHECK (external_id ~ '^[ -~]*$')", id: 'evt_€', code: '23514' },
  {
    what: 'a payload that is too large',
    sql: 'ALTER TABLE webhook_events ADD CHECK (length(body) < 200)',
    body: { type: 't', data: { x: 'x'.repeat(300) } },
    code: '23514',
  },
  { what: 'an event that a trigger refuses', sql: refuse("NEW.external_id = 'evt_bad'", "RAISE EXCEPTION 'no'"), code: 'P0001' },
  { what: 'an event for which a trigger fails', sql: refuse("NEW.external_id = 'evt_bad'", 'PERFORM missing()'), code: '42883' },
]

describe.skipIf(!hasRedis())('a buffered event that the database refuses', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))
  const stored = async ({ rows }: Inbox) => (await rows()).map(({ id, outcome }) => [id, outcome])
  const parked = async ({ manage }: Inbox) => (await manage({ action: 'list' })).buffer as { parked: number; entries?: object[] }
  const events = ({ lines }: Inbox) => lines.map(({ event }) => event)

  it.each(variants)('is parked with its code, and the next is taken: $what', async ({ sql, id = 'evt_bad', body = good, code }) => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query(sql)
      await inbox.buffer(body, { id })
      await inbox.buffer(good, { id: 'evt_1' })
      expect(await inbox.drain()).toEqual({ drained: 1, parked: 1, left: 0 })
      expect(await stored(inbox)).toEqual([['evt_1', 'applied']])
      expect(await parked(inbox)).toMatchObject({ waiting: 0, parked: 1, entries: [{ code, source: 'standard', eventId: id }] })
      expect(events(inbox)).toContain('webhook.buffer.parked')
      expect(events(inbox)).not.toContain('webhook.buffer.stuck')
      // A person mends the database and has it tried again.
      await inbox.database.query('DROP TRIGGER IF EXISTS refuse ON webhook_events')
      await inbox.database.query('ALTER TABLE webhook_events ALTER external_id TYPE text')
      for (const { name } of await inbox.database.query<{ name: string }>(
        "SELECT conname AS name FROM pg_constraint WHERE conrelid = 'webhook_events'::regclass AND conname IN ('webhook_events_external_id_check1', 'webhook_events_body_check')",
      ))
        await inbox.database.query(`ALTER TABLE webhook_events DROP CONSTRAINT ${name}`)
      expect(await inbox.manage({ action: 'retry', id: 'buffer' })).toEqual({ retried: 1 })
      expect(await inbox.drain()).toEqual({ drained: 1, parked: 0, left: 0 })
      expect(await redis.command('GET', '{webhooks}:bytes')).toBe('0')
    })
  })

  it('is parked in the inbox where the database takes it as parked', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query("ALTER TABLE webhook_events ADD CHECK (outcome <> 'applied' OR external_id <> 'evt_bad')")
      await inbox.buffer(good, { id: 'evt_bad' })
      await inbox.buffer(good, { id: 'evt_1' })
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 0 })
      expect(await inbox.rows()).toMatchObject([
        { id: 'evt_1', outcome: 'applied' },
        { id: 'evt_bad', outcome: 'failed', error: '23514' },
      ])
    })
  })

  it('stays in the buffer while the database can store no event at all, which is an error in the log', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.buffer(good, { id: 'evt_1' })
      await inbox.buffer(good, { id: 'evt_2' })
      await inbox.database.query('ALTER TABLE webhook_events RENAME TO elsewhere')
      expect(await inbox.drain()).toEqual({ drained: 0, parked: 0, left: 2 })
      expect(inbox.lines).toContainEqual(expect.objectContaining({ level: 'error', event: 'webhook.buffer.stuck', left: 2, code: '42P01' }))
      await inbox.database.query('ALTER TABLE elsewhere RENAME TO webhook_events')
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 0 })
    })
  })

  it.each([
    ['53200', 'out_of_memory'],
    ['57014', 'query_canceled'],
    ['40001', 'serialization_failure'],
    ['55P03', 'lock_not_available'],
  ])('keeps no other waiting when its error may pass: %s', async (code, condition) => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query(refuse("NEW.external_id = 'evt_bad'", `RAISE ${condition}`))
      for (const id of ['evt_bad', 'evt_1', 'evt_2']) await inbox.buffer(good, { id })
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 1 })
      expect(await stored(inbox)).toEqual([
        ['evt_1', 'applied'],
        ['evt_2', 'applied'],
      ])
      expect(inbox.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'webhook.buffer.held', code }))
      await inbox.database.query('DROP TRIGGER refuse ON webhook_events')
      expect(await inbox.drain()).toEqual({ drained: 1, parked: 0, left: 0 })
    })
  })

  it('several of them in a row do not block the others', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query(refuse("NEW.external_id LIKE 'evt_bad%'", 'RAISE query_canceled'))
      for (const id of ['evt_bad_1', 'evt_bad_2', 'evt_bad_3', 'evt_1', 'evt_bad_4', 'evt_2']) await inbox.buffer(good, { id })
      expect(await inbox.drain()).toEqual({ drained: 2, parked: 0, left: 4 })
      expect(await inbox.drain()).toEqual({ drained: 0, parked: 0, left: 4 })
    })
  })

  it('five of them in a row end the drain', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query(refuse('true', 'RAISE query_canceled'))
      for (const id of [1, 2, 3, 4, 5, 6, 7]) await inbox.buffer(good, { id: `evt_${id}` })
      expect(await inbox.drain()).toEqual({ drained: 0, parked: 0, left: 7 })
      expect(events(inbox).filter(event => event === 'webhook.buffer.held')).toHaveLength(5)
      expect(inbox.lines).toContainEqual(expect.objectContaining({ level: 'error', event: 'webhook.buffer.stuck', code: '57014' }))
    })
  })

  it('is buffered when it is delivered, and never lost', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      await inbox.database.query("ALTER TABLE webhook_events ADD CHECK (external_id <> 'evt_bad')")
      expect(await inbox.send(good, { id: 'evt_bad' })).toMatchObject({ status: 202, body: { outcome: 'buffered' } })
      expect(await inbox.drain()).toEqual({ drained: 0, parked: 1, left: 0 })
    })
  })

  it('is dropped when its user is erased, and when it is about no known user for too long', async () => {
    await withInbox({ handlers, redis }, async inbox => {
      const { database } = inbox
      await database.query("ALTER TABLE webhook_events ADD CHECK (external_id NOT LIKE 'evt_%')")
      for (const user of ['usr_\u0000', 'usr_1', 'usr_2'])
        await inbox.buffer({ type: 't', data: { user } }, { id: `evt_${user.replace('\u0000', 'x')}` })
      await inbox.buffer({ type: 'other', data: {} }, { id: 'evt_nobody' })
      await redis.command('XADD', '{webhooks}:events', '*', 'entry', 'nonsense', 'size', '8')
      await redis.command('XADD', '{webhooks}:parked', '1-1', 'entry', 'older nonsense', 'size', '0', 'reason', 'r')
      await database.query(
        "INSERT INTO users (id, external_id, erased_at, created_at, updated_at) VALUES (gen_random_uuid(), 'usr_1', now(), now(), now())",
      )
      expect(await inbox.drain()).toEqual({ drained: 0, parked: 5, left: 0 })
      await inbox.drain()
      const left = await parked(inbox)
      expect(left.entries).toMatchObject([{ eventId: 'evt_usr_x' }, { eventId: 'evt_usr_2' }, { eventId: 'evt_nobody' }, { code: 'payload-damaged' }])
      expect(events(inbox)).toEqual(expect.arrayContaining(['webhook.buffer.erased', 'webhook.buffer.expired']))
    })
  })
})

describe('a stored event that the database refuses to settle', () => {
  const deferring = (type: string) =>
    defineHandler({
      type,
      schema: z.unknown(),
      needsDatabase: true,
      async apply() {
        throw later('not-yet')
      },
    })

  it.each([
    ['with a value that is too long', 'ALTER TABLE webhook_events ALTER last_error TYPE varchar(6)', '22001'],
    ['as deferred', "ALTER TABLE webhook_events ADD CHECK (last_error <> 'not-yet') NOT VALID", '23514'],
    ['by a trigger', refuse("NEW.last_error = 'not-yet'", "RAISE EXCEPTION 'no'").replace('BEFORE INSERT', 'BEFORE UPDATE'), 'P0001'],
  ])('is parked, and the next is tried: %s', async (_what, sql, code) => {
    await withInbox({ handlers: [deferring('t')] }, async inbox => {
      for (const id of ['evt_1', 'evt_2']) await inbox.send({ type: 't', data: {} }, { id })
      await inbox.database.query("UPDATE webhook_events SET last_error = 'other'")
      await inbox.database.query(sql)
      await inbox.allDue()
      expect(await inbox.attempt()).toEqual({ applied: 0, deferred: 0, parked: 2 })
      expect(await inbox.rows()).toMatchObject([
        { id: 'evt_1', outcome: 'failed', error: code },
        { id: 'evt_2', outcome: 'failed', error: code },
      ])
    })
  })

  it.each([
    ['P0001', "RAISE EXCEPTION 'no'"],
    ['42501', "RAISE EXCEPTION 'no' USING ERRCODE = '42501'"],
    ['XX001', "RAISE EXCEPTION 'no' USING ERRCODE = 'XX001'"],
  ])('does not keep the next one from being tried when it cannot even be leased: %s', async (code, raise) => {
    await withInbox({ handlers: [deferring('t')] }, async inbox => {
      for (const id of ['evt_bad', 'evt_2']) await inbox.send({ type: 't', data: {} }, { id })
      await inbox.allDue()
      await inbox.database.query("UPDATE webhook_events SET next_attempt_at = now() - interval '1 minute' WHERE external_id = 'evt_bad'")
      await inbox.database.query(refuse("NEW.external_id = 'evt_bad'", raise).replace('BEFORE INSERT', 'BEFORE UPDATE'))
      expect(await inbox.attempt([])).toEqual({ applied: 1, deferred: 0, parked: 0 })
      expect(inbox.lines).toContainEqual(expect.objectContaining({ level: 'error', event: 'webhook.unsettled', eventId: 'evt_bad', code }))
    })
  })

  it('ends the run with its error when no event can be leased', async () => {
    await withInbox({ handlers: [deferring('t')] }, async inbox => {
      for (const id of ['evt_1', 'evt_2', 'evt_3', 'evt_4']) await inbox.send({ type: 't', data: {} }, { id })
      await inbox.allDue()
      await inbox.database.query(refuse('true', "RAISE EXCEPTION 'no' USING ERRCODE = '42501'").replace('BEFORE INSERT', 'BEFORE UPDATE'))
      await expect(inbox.attempt([])).rejects.toMatchObject({ original: { code: '42501' } })
      expect(inbox.lines.filter(({ event }) => event === 'webhook.unsettled')).toHaveLength(1)
    })
  })

  it('ends the run with its error when the only event cannot be leased', async () => {
    await withInbox({ handlers: [deferring('t')] }, async inbox => {
      await inbox.send({ type: 't', data: {} }, { id: 'evt_1' })
      await inbox.allDue()
      await inbox.database.query(refuse('true', "RAISE EXCEPTION 'no' USING ERRCODE = '42501'").replace('BEFORE INSERT', 'BEFORE UPDATE'))
      await expect(inbox.attempt([])).rejects.toMatchObject({ original: { code: '42501' } })
    })
  })
})
