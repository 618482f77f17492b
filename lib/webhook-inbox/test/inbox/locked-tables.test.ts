import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../src/inbox/handler.ts'
import { withInbox, type Inbox, type InboxOptions } from '../../../functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'

const handlers = [
  defineHandler({
    type: 't',
    schema: z.unknown(),
    needsDatabase: true,
    async apply(_event, { query }) {
      await query("INSERT INTO alerts_raised (kind) VALUES ('of the handler')")
    },
  }),
]
const about = [defineHandler({ type: 't', schema: z.unknown(), needsDatabase: true, concerns: () => 'usr_1', async apply() {} })]
const event = { type: 't', data: {} }
const SHORT = { remainingMs: 4_000 }
const lock = (table: string, mode: string) => `LOCK TABLE ${table} IN ${mode} MODE`
const claimed = "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 'standard', 'evt_1', 't', now())"
const inProgress = { status: 503, body: { code: 'event-in-progress' } }
const busy = { status: 503, body: { code: 'database-busy' } }

/** Gives the answer to an event while another session holds what a statement locks, and applies the event after that. */
async function answerWhile(statement: string, options: Partial<InboxOptions> = {}, { prepare }: { prepare?: string } = {}): Promise<object> {
  let answer: Awaited<ReturnType<Inbox['send']>> | undefined
  await withInbox({ handlers, ...options }, async inbox => {
    const { database } = inbox
    if (prepare !== undefined) await database.query(prepare)
    await database.query('BEGIN')
    await database.query(statement)
    answer = await inbox.send(event, SHORT)
    await database.query('ROLLBACK')
    // Nothing of the probe stays.
    expect(await database.query("SELECT 1 FROM webhook_events WHERE type = 'probe'")).toEqual([])
    if (options.redis !== undefined) expect(await inbox.drain()).toMatchObject({ drained: answer.status === 202 ? 1 : 0 })
    await inbox.allDue()
    await inbox.attempt()
    expect(await inbox.send(event)).toMatchObject({ status: 200 })
    expect(await inbox.rows()).toMatchObject([{ id: 'evt_1', outcome: 'applied' }])
  })
  return answer ?? {}
}

const locks = [
  ['ACCESS EXCLUSIVE on the inbox', lock('webhook_events', 'ACCESS EXCLUSIVE'), handlers],
  ['EXCLUSIVE on the inbox', lock('webhook_events', 'EXCLUSIVE'), handlers],
  ['SHARE on the inbox, as an index being built', lock('webhook_events', 'SHARE'), handlers],
  ['ACCESS EXCLUSIVE on the users', lock('users', 'ACCESS EXCLUSIVE'), handlers],
  ['ACCESS EXCLUSIVE on the users, for an event about one', lock('users', 'ACCESS EXCLUSIVE'), about],
] as const

describe.concurrent('an event whose tables another session has locked', () => {
  it.each(locks)('sends the sender away as busy: %s', async (_what, statement, of) => {
    expect(await answerWhile(statement, { handlers: of })).toMatchObject(busy)
  })

  it('is deferred where the handler alone needs the table', async () => {
    expect(await answerWhile(lock('alerts_raised', 'ACCESS EXCLUSIVE'))).toMatchObject({ status: 202, body: { outcome: 'deferred' } })
  })
})

describe.concurrent('an event that another delivery holds', () => {
  it('is in progress while its row is not committed', async () => {
    expect(await answerWhile(claimed)).toMatchObject(inProgress)
  })

  it('is in progress when a limit of the role ends the wait first', async () => {
    const prepare = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''300ms''', current_database()); END $$`
    expect(await answerWhile(claimed, {}, { prepare })).toMatchObject(inProgress)
  })

  it('is in progress while a parked one is taken up elsewhere', async () => {
    await withInbox({ handlers, poisonStatus: 500 }, async inbox => {
      await inbox.database.query("INSERT INTO alerts_raised (kind) VALUES ('of the handler')")
      expect(await inbox.send(event)).toMatchObject({ status: 500 })
      await inbox.database.query('DELETE FROM alerts_raised')
      await inbox.database.query('BEGIN')
      await inbox.database.query("SELECT FROM webhook_events WHERE external_id = 'evt_1' FOR UPDATE")
      expect(await inbox.send(event, SHORT)).toMatchObject({ status: 503, body: { code: 'event-in-progress' } })
      await inbox.database.query('ROLLBACK')
      expect(await inbox.send(event)).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    })
  })
})

describe.skipIf(!hasRedis())('with an outage buffer, an event whose tables another session has locked', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  it.each(locks)('is buffered: %s', async (_what, statement, of) => {
    expect(await answerWhile(statement, { handlers: of, redis })).toMatchObject({ status: 202, body: { outcome: 'buffered' } })
  })

  it('is not buffered while another delivery holds it', async () => {
    expect(await answerWhile(claimed, { redis })).toMatchObject(inProgress)
    expect(await redis.command('XLEN', '{webhooks}:events')).toBe(0)
  })
})
