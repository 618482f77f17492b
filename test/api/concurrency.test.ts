import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { api, balancesOf, newUser, pay, withApi } from '../support/api.ts'
import { wrongBalances } from '../support/balances.ts'

// A long-lived process serves many at once; so many connections as containers would have.
const fleet = { DB_PROFILE: 'server', DB_POOL_MAX: '12', DB_POOL_MIN: '0' }

it('200 transactions at once on one user leave its balances exact, and none is lost or there twice', async () => {
  await withApi(async database => {
    const user = await newUser()
    const keys = Array.from({ length: 100 }, () => randomUUID())
    const currencies = ['EUR', 'USD', 'JPY']
    const made = await Promise.all(
      [...keys, ...keys].map((key, index) =>
        pay(user, { amount: String((index % 100) + 1), currency: currencies[(index % 100) % 3], status: 'completed' }, key),
      ),
    )
    expect(new Set(made.map(({ statusCode }) => statusCode))).toEqual(new Set([201]))
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(100)
    const steps = made.slice(0, 100).flatMap(({ body }, index) => (index % 10 === 0 ? [body.id, body.id] : []))
    await Promise.all(steps.map(id => api(`PATCH /${user}/transactions/${String(id)}`, { body: { status: 'refunded' } })))
    const sums = currencies.map((_, of) => keys.reduce((sum, _key, index) => sum + (index % 3 === of && index % 10 !== 0 ? index + 1 : 0), 0))
    expect(await balancesOf(user)).toEqual([`${sums[0]}.00 EUR`, `${sums[2]} JPY`, `${sums[1]}.00 USD`])
    expect(await wrongBalances(database)).toEqual([])
    expect(await database.query('SELECT 1 FROM transactions')).toHaveLength(100)
    expect(await database.query("SELECT 1 FROM activities WHERE kind = 'transaction.created'")).toHaveLength(100)
  }, fleet)
})

it('100 equal creates at once make one user, and get 100 equal answers', async () => {
  await withApi(async database => {
    const body = { email: 'ada@example.com', name: 'Ada', externalId: 'usr_1' }
    const answers = await Promise.all(Array.from({ length: 100 }, () => api('POST /', { body, headers: { 'idempotency-key': 'k1' } })))
    const [first] = answers
    expect(answers.map(({ statusCode, headers, body: user }) => ({ statusCode, user, etag: headers.etag, location: headers.location }))).toEqual(
      answers.map(() => ({ statusCode: 201, user: first?.body, etag: first?.headers.etag, location: first?.headers.location })),
    )
    expect(await database.query('SELECT 1 FROM users')).toHaveLength(1)
    expect(await database.query('SELECT 1 FROM activities')).toHaveLength(1)
  }, fleet)
})
