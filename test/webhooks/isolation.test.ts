import { describe, expect, it } from 'vitest'
import { createActivityRecorders } from '../../lib/app/activity/record.ts'
import { createUser } from '../../lib/app/users/create.ts'
import { defineHandler } from '../../lib/webhook-inbox/src/inbox/handler.ts'
import { transactionCompleted } from '../../lib/app/webhooks/handlers/transaction-completed.ts'
import { userCreated } from '../../lib/app/webhooks/handlers/user-created.ts'
import { withInbox, type Inbox } from '../../lib/functions-devkit/test/support/inbox.ts'

// A stronger isolation sees the state of the first statement: what others commit while the user's lock is awaited would be overlooked.

const LEVELS = ['read committed', 'repeatable read', 'serializable']
const LOCK = "SELECT pg_advisory_xact_lock(7126, hashtext('usr_1'))"
const MONEY = { transactionId: 'txn_1', userId: 'usr_1', amount: '1.00', currency: 'EUR' }

/** Runs a test whose events are claimed, and then wait for `meanwhile` before their handler goes on. */
async function withRace(level: string, work: (inbox: Inbox, race: { meanwhile: string }) => Promise<void>): Promise<void> {
  const race = { meanwhile: '' }
  let other: Inbox['database'] | undefined
  const meanwhile = async () => void (await other?.query(race.meanwhile))
  const handlers = [
    defineHandler({ ...transactionCompleted, apply: async (event, tools) => (await meanwhile(), transactionCompleted.apply(event, tools)) }),
    defineHandler({ ...userCreated, apply: async (event, tools) => (await meanwhile(), userCreated.apply(event, tools)) }),
  ]
  await withInbox({ handlers }, async inbox => {
    other = inbox.database
    await inbox.database.query(`ALTER DATABASE "${inbox.database.name}" SET default_transaction_isolation = '${level}'`)
    await work(inbox, race)
  })
}

describe.each(LEVELS)('with %s as the isolation of the database', level => {
  it('a transaction is not linked to a user who is erased meanwhile', async () => {
    await withRace(level, async ({ service, database, send }, race) => {
      const activity = createActivityRecorders(service)({ ip: '192.0.2.1', userAgent: 'test' })
      const made = { name: 'Ada', email: 'ada@example.com', externalId: 'usr_1' }
      const { id } = await createUser(made, { claim: undefined, activity, database: service })
      const erased = 'email = NULL, name = NULL, erased_at = now(), activities_due_at = now(), events_due_at = now()'
      race.meanwhile = `BEGIN; ${LOCK}; UPDATE users SET ${erased} WHERE id = '${id}'; COMMIT`
      expect(await send({ type: 'transaction.completed', data: MONEY })).toMatchObject({ body: { outcome: 'applied' } })
      expect(await database.query('SELECT user_id, user_external_id FROM transactions')).toEqual([{ user_id: null, user_external_id: null }])
      expect(await database.query('SELECT 1 FROM balances')).toEqual([])
    })
  })

  it('a user is linked to a transaction that comes meanwhile', async () => {
    await withRace(level, async ({ database, send }, race) => {
      race.meanwhile = `BEGIN; ${LOCK}; INSERT INTO transactions (id, external_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
        VALUES (gen_random_uuid(), 'txn_1', 'usr_1', 1, 'EUR', 'completed', now(), now(), now()); COMMIT`
      const data = { userId: 'usr_1', email: 'ada@example.com', name: 'Ada' }
      expect(await send({ type: 'user.created', data })).toMatchObject({ body: { outcome: 'applied' } })
      expect(await database.query('SELECT u.external_id AS user FROM transactions t JOIN users u ON u.id = t.user_id')).toEqual([{ user: 'usr_1' }])
      expect(await database.query('SELECT 1 FROM balances')).toHaveLength(1)
    })
  })
})
