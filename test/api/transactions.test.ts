import { describe, expect, it } from 'vitest'
import { main as users } from '../../packages/api/user/index.ts'
import { main as webhooks } from '../../packages/api/webhook/index.ts'
import { api, balancesOf, newUser, pay, readAll, withApi } from '../support/api.ts'
import { wrongBalances } from '../support/balances.ts'
import { call, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'
import { completedTransaction, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

const step = (user: string, id: unknown, status: string) => api(`PATCH /${user}/transactions/${String(id)}`, { body: { status } })
const deliver = (event: string) => call(webhooks, { method: 'POST', path: '/demo', headers: signedHeaders(event), body: event })

describe('a transaction', () => {
  it('is created pending, and read again', async () => {
    await withApi(async () => {
      const user = await newUser()
      const made = await pay(user, { amount: '12.5', externalId: 'txn_1' })
      expect(made).toMatchObject({
        statusCode: 201,
        body: { amount: '12.50', currency: 'EUR', status: 'pending', externalId: 'txn_1' },
      })
      const path = `/${user}/transactions/${String(made.body.id)}`
      expect(new URL(made.headers.location ?? '', `http://host/user/${user}/transactions`).pathname).toBe(`/user${path}`)
      expect(await api(`GET ${path}`)).toMatchObject({ statusCode: 200, body: made.body })
      expect(await balancesOf(user)).toEqual([])
    })
  })

  it.each([
    ['12.5', 'EUR', '12.50'],
    ['007', 'JPY', '7'],
    ['7.00', 'JPY', '7'],
    ['0.001', 'KWD', '0.001'],
    ['999999999999999', 'EUR', '999999999999999.00'],
  ])('of %s %s is shown, and counted, as %s', async (amount, currency, shown) => {
    await withApi(async () => {
      const user = await newUser()
      const made = await pay(user, { amount, currency, status: 'completed' })
      expect(made.body).toMatchObject({ amount: shown, status: 'completed' })
      expect(await api(`GET /${user}/transactions/${String(made.body.id)}`)).toMatchObject({ body: made.body })
      expect(await balancesOf(user)).toEqual([`${shown} ${currency}`])
    })
  })

  it.each([
    ['a number', { amount: 10 }],
    ['a float in words', { amount: '1e3' }],
    ['nothing', { amount: '0.00' }],
    ['less than nothing', { amount: '-1' }],
    ['more decimals than the currency has', { amount: '1.5', currency: 'JPY' }],
    ['a currency that is not in use', { currency: 'XXX' }],
    ['a state that is no beginning', { status: 'refunded' }],
    ['a field that is not known', { userId: 'x' }],
  ])('is refused for %s', async (_what, body) => {
    await withApi(async database => {
      expect((await pay(await newUser(), body)).statusCode).toBe(422)
      expect(await database.query('SELECT 1 FROM transactions')).toEqual([])
    })
  })

  it('needs an idempotency key', async () => {
    await withApi(async () => {
      const user = await newUser()
      const answer = await api(`POST /${user}/transactions`, { body: { amount: '1', currency: 'EUR' } })
      expect(answer).toMatchObject({ statusCode: 400, body: { code: 'idempotency-key-missing' } })
    })
  })

  it.each([
    [['completed'], 'completed', 200, ['10.00 EUR']],
    [['completed', 'completed'], 'completed', 200, ['10.00 EUR']],
    [['completed', 'refunded'], 'refunded', 200, ['0.00 EUR']],
    [['completed', 'failed'], 'completed', 409, ['10.00 EUR']],
    [['failed'], 'failed', 200, []],
    [['failed', 'completed'], 'failed', 409, []],
    [['failed', 'refunded'], 'failed', 409, []],
    [['refunded'], 'pending', 409, []],
    [['completed', 'refunded', 'completed'], 'refunded', 409, ['0.00 EUR']],
  ])('asked for %j is %s', async (steps, status, last, balances) => {
    await withApi(async () => {
      const user = await newUser()
      const { id } = (await pay(user)).body
      const answers = []
      for (const to of steps) answers.push(await step(user, id, to))
      expect(answers.at(-1)?.statusCode).toBe(last)
      expect(answers.at(-1)?.body).toMatchObject(last === 409 ? { code: 'step-illegal', from: status } : { status })
      expect(await api(`GET /${user}/transactions/${String(id)}`)).toMatchObject({ body: { status } })
      expect(await balancesOf(user)).toEqual(balances)
    })
  })

  it('is not reached through another user', async () => {
    await withApi(async () => {
      const [user, other] = [await newUser(), await newUser()]
      const { id } = (await pay(user)).body
      expect(await api(`GET /${other}/transactions/${String(id)}`)).toMatchObject({ statusCode: 404, body: { code: 'transaction-unknown' } })
      expect(await step(other, id, 'completed')).toMatchObject({ statusCode: 404, body: { code: 'transaction-unknown' } })
    })
  })

  it('that the API made is completed by an event of the same name, and refunded by the API', async () => {
    await withFunctions([users, webhooks], async database => {
      const user = await newUser({ externalId: 'usr_1' })
      const { id } = (await pay(user, { externalId: 'txn_1' })).body
      expect(await deliver(completedTransaction({ transactionId: 'txn_1', amount: '10.00', completedAt: '2026-01-01T00:00:00Z' }))).toMatchObject({
        statusCode: 200,
      })
      expect(await balancesOf(user)).toEqual(['10.00 EUR'])
      expect(await step(user, id, 'refunded')).toMatchObject({ statusCode: 200 })
      await deliver(completedTransaction({ transactionId: 'txn_1' }))
      expect(await balancesOf(user)).toEqual(['0.00 EUR'])
      expect(await wrongBalances(database)).toEqual([])
    })
  })

  it('that came by an event before its user is joined to the user that the API creates', async () => {
    await withFunctions([users, webhooks], async () => {
      await deliver(completedTransaction({ amount: '12.50' }))
      const user = await newUser({ externalId: 'usr_1' })
      expect(await balancesOf(user)).toEqual(['12.50 EUR'])
      expect((await api(`GET /${user}/transactions`)).body.items).toMatchObject([{ amount: '12.50', status: 'completed' }])
    })
  })

  it('is listed newest first, page by page, by state', async () => {
    await withApi(async () => {
      const user = await newUser()
      await pay(await newUser())
      const ids: unknown[] = []
      for (const status of ['pending', 'completed', 'pending']) ids.unshift((await pay(user, { status })).body.id)
      expect((await readAll(`GET /${user}/transactions`, { query: 'limit=1' })).map(({ id }) => id)).toEqual(ids)
      expect((await readAll(`GET /${user}/transactions`, { query: 'status=completed' })).map(({ id }) => id)).toEqual([ids[1]])
      const { next } = (await api(`GET /${user}/transactions`, { query: 'limit=1' })).body
      expect((await api(`GET /${await newUser()}/transactions`, { query: `cursor=${String(next)}` })).statusCode).toBe(400)
    })
  })
})
