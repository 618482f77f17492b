import { describe, expect, it } from 'vitest'
import { MOST_ATTEMPTS } from '../../lib/webhook-inbox/src/inbox/attempt-times.ts'
import { main as users } from '../../packages/api/user/index.ts'
import { main as webhook } from '../../packages/api/webhook/index.ts'
import { main as maintenance } from '../../packages/ops/maintenance/index.ts'
import { api, newUser } from '../support/api.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { call, withEnvironment, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'
import { hasRedis, startRedis } from '../../lib/functions-devkit/test/support/redis.ts'
import { completedTransaction, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

const about = (externalId: string) => completedTransaction({ userId: externalId })
const send = (body: string, id: string) =>
  call(webhook, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id }) }, { getRemainingTimeInMillis: () => 2_500 })
const maintain = () => maintenance({ task: 'maintenance' }, { getRemainingTimeInMillis: () => 20_000 })

/** Has an insert into `transactions` do something else first. */
async function meddle(database: TestDatabase, body: string): Promise<void> {
  await database.query(`CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NEW; END $$`)
  await database.query('CREATE OR REPLACE TRIGGER meddle BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION meddle()')
}
const TRANSIENT = "RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'"
const PERMANENT = "RAISE EXCEPTION 'no'"

const EVENTS = 'SELECT external_id AS id, outcome, body, headers, user_id, concerns FROM webhook_events ORDER BY 1'
const bare = (outcome: string, id = 'msg_1') => ({ id, outcome, body: null, headers: null, user_id: null, concerns: null })
const nameless = { user_id: null, user_external_id: null }
const TRANSACTIONS = 'SELECT user_id, user_external_id FROM transactions'

/** Runs a test with one user, whom senders call `usr_1`, and one event about that user that was stored before. */
async function withUser({ failing, answer }: { failing: string; answer: string }, work: (database: TestDatabase, id: string) => Promise<void>) {
  await withFunctions([users, webhook, maintenance], async database => {
    const id = await newUser({ externalId: 'usr_1' })
    await meddle(database, failing)
    expect(await send(about('usr_1'), 'msg_1')).toMatchObject({ body: { outcome: answer } })
    await work(database, id)
  })
}
const erase = async (id: string) => expect(await api(`DELETE /${id}`)).toMatchObject({ statusCode: 204 })

describe('when somebody is erased, what was said goes of an event', () => {
  it('that came before that user did', async () => {
    await withFunctions([users, webhook], async database => {
      expect(await send(about('usr_1'), 'msg_1')).toMatchObject({ body: { outcome: 'applied' } })
      await erase(await newUser({ externalId: 'usr_1' }))
      expect(await database.query(EVENTS)).toEqual([bare('applied')])
      expect(await database.query(TRANSACTIONS)).toEqual([nameless])
    })
  })

  it('that is to be tried again, once it was: its payment counts', async () => {
    await withUser({ failing: TRANSIENT, answer: 'deferred' }, async (database, id) => {
      await meddle(database, 'NULL')
      await erase(id)
      expect(await maintain()).toMatchObject({ attempts: { applied: 1 } })
      expect(await database.query(EVENTS)).toEqual([bare('applied')])
      expect(await database.query(TRANSACTIONS)).toEqual([nameless])
    })
  })

  it.each([
    ['fails for good then', PERMANENT, 1],
    ['was tried often enough', TRANSIENT, MOST_ATTEMPTS - 1],
  ])(
    'that is to be tried again and %s',
    async (_why, failing, attempts) => {
      await withUser({ failing: TRANSIENT, answer: 'deferred' }, async (database, id) => {
        await meddle(database, failing)
        await database.query('UPDATE webhook_events SET attempts = $1', [attempts])
        await erase(id)
        expect(await maintain()).toMatchObject({ attempts: { parked: 1 } })
        expect(await database.query(EVENTS)).toEqual([bare('ignored')])
      })
    },
    15_000,
  )

  it('that waits for a person, who has nothing to do any more', async () => {
    await withUser({ failing: PERMANENT, answer: 'failed' }, async (database, id) => {
      await erase(id)
      expect(await database.query(EVENTS)).toEqual([bare('ignored')])
      expect(await maintenance({ task: 'webhooks', action: 'list' }, { getRemainingTimeInMillis: () => 20_000 })).toMatchObject({ events: [] })
    })
  })

  it('that does not fit its handler', async () => {
    await withFunctions([users, webhook, maintenance], async database => {
      const id = await newUser({ externalId: 'usr_1' })
      expect(await send(completedTransaction({ userId: 'usr_1', amount: 'x' }), 'msg_1')).toMatchObject({ body: { outcome: 'failed' } })
      await erase(id)
      expect(await database.query(EVENTS)).toEqual([bare('ignored')])
      expect(await database.query('SELECT invalid_paths FROM webhook_events')).toEqual([{ invalid_paths: null }])
    })
  })

  it('that comes late and cannot be applied', async () => {
    await withUser({ failing: PERMANENT, answer: 'failed' }, async (database, id) => {
      await erase(id)
      expect(await send(about('usr_1'), 'msg_2')).toMatchObject({ body: { outcome: 'failed' } })
      expect(await database.query(EVENTS)).toEqual([bare('ignored'), bare('ignored', 'msg_2')])
    })
  })

  it('that is being worked on, and neither waits for the other in vain', async () => {
    await withUser({ failing: TRANSIENT, answer: 'deferred' }, async (database, id) => {
      await meddle(database, "IF TG_OP = 'INSERT' THEN PERFORM pg_sleep(0.3); END IF")
      await database.query('UPDATE webhook_events SET next_attempt_at = now()')
      const [report] = await Promise.all([maintain(), erase(id)])
      expect(report).not.toHaveProperty('error')
      await maintain()
      expect(await database.query(EVENTS)).toEqual([bare('applied')])
      expect(await database.query(TRANSACTIONS)).toEqual([nameless])
    })
  })

  it.skipIf(!hasRedis())('that lies in the outage buffer, once it is taken in', async () => {
    const redis = await startRedis()
    try {
      await withFunctions(
        [users, webhook, maintenance],
        async database => {
          await withEnvironment({ DB_PORT: '1' }, async () => {
            expect(await send(about('usr_1'), 'msg_1')).toMatchObject({ body: { outcome: 'buffered' } })
          })
          await erase(await newUser({ externalId: 'usr_1' }))
          expect(await maintain()).toMatchObject({ buffer: { drained: 1 } })
          expect(await database.query(EVENTS)).toEqual([bare('applied')])
          expect(await database.query(TRANSACTIONS)).toEqual([nameless])
        },
        { REDIS_URL: redis.url },
      )
    } finally {
      await redis.stop()
    }
  })
})
