import { describe, expect, it } from 'vitest'
import { createActivityRecorders } from '../../lib/app/activity/record.ts'
import { eraseDueActivities } from '../../lib/app/activity/erase.ts'
import { openDeadline } from '../../lib/invocation/src/deadline.ts'
import { api, newUser, pay, readAll, withApi } from '../support/api.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { withMaintenance } from '../../lib/functions-devkit/test/support/maintenance.ts'
import { withService } from '../../lib/functions-devkit/test/support/service.ts'

const agent = { 'x-forwarded-for': ' 203.0.113.7 , 10.0.0.1', 'user-agent': 'curl/8' }
// No test depends on how fast the machine is.
const patient = { budgetMs: 20_000 }
const nobody = { ip: null, userAgent: null }

/** Every user operation, as its answers' states; what differs from call to call aside. */
async function everyOperation(): Promise<string[]> {
  const answers = []
  const created = await api('POST /', { body: { email: 'ada@example.com', name: 'Ada', externalId: 'usr_1' }, headers: { 'idempotency-key': 'k1' } })
  const id = String(created.body.id)
  answers.push(created, await api(`GET /${id}`), await api('GET /', { query: 'externalId=usr_1' }))
  answers.push(await api(`PATCH /${id}`, { body: { name: 'Eve' }, headers: { 'if-match': created.headers.etag ?? '' } }))
  const paid = await pay(id, { status: 'completed' })
  answers.push(paid, await api(`PATCH /${id}/transactions/${String(paid.body.id)}`, { body: { status: 'failed' } }))
  answers.push(await api(`PATCH /${id}/transactions/${String(paid.body.id)}`, { body: { status: 'refunded' } }))
  answers.push(await api(`GET /${id}/balances`), await api(`DELETE /${id}`), await api(`GET /${id}`))
  const fixed = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'at')
  return answers.map(({ statusCode, body }) => `${statusCode} ${fixed(JSON.stringify(body ?? null))}`)
}

const trouble: Record<string, (database: TestDatabase) => Promise<unknown>> = {
  dropped: database => database.query('DROP TABLE activities'),
  full: async database => {
    await database.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END'`)
    await database.query('CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON activities FOR EACH STATEMENT EXECUTE FUNCTION full_disk()')
  },
}

describe('activities', () => {
  it('tell what a user did, newest first, with the origin that the caller claims', async () => {
    await withApi(async () => {
      const created = await api('POST /', { body: { email: 'ada@example.com', name: 'Ada' }, headers: agent })
      const id = String(created.body.id)
      await api(`PATCH /${id}`, { body: { name: 'Eve' }, headers: { 'if-match': '*', 'x-forwarded-for': 'somewhere', 'user-agent': '' } })
      const transaction = String((await pay(id)).body.id)
      await api(`PATCH /${id}/transactions/${transaction}`, { body: { status: 'refunded' } })
      const all = await readAll(`GET /${id}/activity`, { query: 'limit=1' })
      expect(all).toMatchObject([
        { kind: 'transaction.refused', details: { transactionId: transaction, from: 'pending', to: 'refunded' } },
        { kind: 'transaction.created', details: { transactionId: transaction, status: 'pending' } },
        { kind: 'user.updated', details: { fields: ['name'] }, ...nobody },
        { kind: 'user.created', details: null, ip: '203.0.113.7', userAgent: 'curl/8' },
      ])
      expect(await readAll(`GET /${id}/activity`, { query: 'kind=user.updated' })).toEqual([all[2]])
      expect((await api(`GET /${id}/activity`, { query: 'kind=user.flown' })).statusCode).toBe(422)
    })
  })

  it.each(Object.entries(trouble))('change no answer when their table is %s, and warn once', async (_what, cause) => {
    let expected: string[] = []
    await withApi(async () => void (expected = await everyOperation()))
    await withApi(async database => {
      await cause(database)
      expect(await everyOperation()).toEqual(expected)
    })
    expect(expected).toHaveLength(10)
  })

  it('change no answer while their table is locked, and what was to be erased of them is erased later', async () => {
    let expected: string[] = []
    await withApi(async () => void (expected = await everyOperation()))
    await withMaintenance(async ({ database, run }) => {
      const { withEnvironment, environmentFor } = await import('../../lib/functions-devkit/test/support/functions.ts')
      const { main } = await import('../../packages/api/user/index.ts')
      await withEnvironment(environmentFor(database), async () => {
        try {
          const user = await newUser()
          await api(`PATCH /${user}`, { body: { name: 'Eve' }, headers: { 'if-match': '*', ...agent } })
          await database.query('BEGIN')
          await database.query('LOCK TABLE activities')
          expect(await everyOperation()).toEqual(expected)
          expect(await api(`DELETE /${user}`)).toMatchObject({ statusCode: 204 })
          await database.query('COMMIT')
          const told = 'SELECT 1 FROM activities WHERE ip IS NOT NULL OR user_agent IS NOT NULL OR details IS NOT NULL'
          expect(await database.query(told)).toHaveLength(1)
          expect(await run()).toMatchObject({ outcome: 'complete', erased: { activities: 2 } })
          expect(await database.query(told)).toEqual([])
          expect(await run()).toMatchObject({ outcome: 'complete', erased: { activities: null } })
        } finally {
          await main.shutdown()
        }
      })
    })
  })

  it('that cannot be recorded are counted, and warned of once a minute', async () => {
    await withService(async ({ service, database, lines }) => {
      await database.query('DROP TABLE activities')
      let now = Date.UTC(2026, 0, 1)
      const recorder = createActivityRecorders(service, { ...patient, now: () => now })(nobody)
      const levels = () => lines.filter(({ event }) => event === 'operation.fallback').map(({ level }) => level)
      for (const ms of [0, 30_000, 29_999, 1]) {
        now += ms
        await recorder.recordActivity('0192b7f0-0000-7000-8000-000000000001', 'user.updated')
        await recorder.flushActivity()
      }
      expect(levels()).toEqual(['warn', 'debug', 'debug', 'warn'])
      expect(service.counters.get('fallbacks', 'activity.record')).toBe(4)
    })
  })

  it('outside of a transaction are not waited for until they are flushed, and then nothing is under way any more', async () => {
    await withService(async ({ service, database }) => {
      const id = '0192b7f0-0000-7000-8000-000000000001'
      await database.query('INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($1, $2, $3, now(), now())', [
        id,
        'a@example.com',
        'Ada',
      ])
      await database.query('BEGIN')
      await database.query('LOCK TABLE activities')
      const recorder = createActivityRecorders(service, patient)(nobody)
      await recorder.recordActivity(id, 'user.updated')
      await database.query('COMMIT')
      await recorder.flushActivity()
      expect(await database.query('SELECT kind FROM activities')).toEqual([{ kind: 'user.updated' }])
      await recorder.flushActivity()
    })
  })

  it('are recorded of nobody who was erased meanwhile', async () => {
    await withService(async ({ service, database }) => {
      const id = '0192b7f0-0000-7000-8000-000000000001'
      await database.query(`INSERT INTO users (id, email, name, created_at, updated_at) VALUES ('${id}', 'a@example.com', 'a', now(), now())`)
      await database.query('BEGIN')
      await database.query('SELECT 1 FROM users FOR UPDATE')
      await database.query('UPDATE users SET email = NULL, name = NULL, erased_at = now()')
      const recorder = createActivityRecorders(service, patient)({ ip: '203.0.113.7', userAgent: 'agent' })
      await recorder.recordActivity(id, 'transaction.refused')
      await expect.poll(() => database.query('SELECT 1 FROM pg_locks WHERE NOT granted'), { interval: 5 }).not.toEqual([])
      await database.query('COMMIT')
      await recorder.flushActivity()
      expect(await database.query('SELECT 1 FROM activities')).toEqual([])
      expect(service.counters.get('fallbacks', 'activity.record')).toBe(0)
    })
  })

  it('go with the transaction that they belong to', async () => {
    await withService(async ({ service, database }) => {
      const recorder = createActivityRecorders(service, patient)(nobody)
      const work = service.execute('test', async ({ query }) => {
        await query("INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($id, 'a@example.com', 'a', now(), now())", {
          id: '0192b7f0-0000-7000-8000-000000000001',
        })
        await recorder.recordActivity('0192b7f0-0000-7000-8000-000000000001', 'user.created')
        throw new Error('taken back')
      })
      await expect(work).rejects.toThrow('taken back')
      await recorder.flushActivity()
      expect(await database.query('SELECT 1 FROM activities')).toEqual([])
      const deadline = openDeadline({ remainingMs: 5_000, reserveMs: 0 })
      expect(await eraseDueActivities(service, { deadline })).toBe(0)
      deadline.clear()
    })
  })
})
