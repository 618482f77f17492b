import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { expect, it } from 'vitest'
import { api, newUser, pay, withApi } from '../support/api.ts'
import { startProxy, type Proxy } from '../../lib/postgres-faults/src/proxy/proxy.ts'

/** Runs a test with the API behind a proxy that counts trips to the server. */
async function withCounts(work: (tripsOf: (call: () => Promise<{ statusCode: number }>) => Promise<number>) => Promise<void>): Promise<void> {
  const { host, port } = inject('postgres')
  const proxy: Proxy = await startProxy({ target: { host, port } })
  const tripsOf = async (call: () => Promise<{ statusCode: number }>) => {
    proxy.resetCounts()
    expect((await call()).statusCode).toBeLessThan(300)
    return proxy.counts().roundTrips
  }
  try {
    await withApi(() => work(tripsOf), { DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority })
  } finally {
    await proxy.stop()
  }
}

const body = () => ({ email: `${randomUUID()}@example.com`, name: 'Ada' })

it('every operation costs few trips: to read is one, to create four with activity and idempotency', async () => {
  await withCounts(async tripsOf => {
    const user = await newUser()
    const transaction = (await pay(user)).body.id
    const path = `/${user}/transactions/${String(transaction)}`
    const trips = {
      create: await tripsOf(() => api('POST /', { body: body(), headers: { 'idempotency-key': randomUUID() } })),
      createNamed: await tripsOf(() => api('POST /', { body: { ...body(), externalId: 'usr_1' }, headers: { 'idempotency-key': randomUUID() } })),
      read: await tripsOf(() => api(`GET /${user}`)),
      list: await tripsOf(() => api('GET /')),
      patch: await tripsOf(() => api(`PATCH /${user}`, { body: { name: 'Eve' }, headers: { 'if-match': '*' } })),
      activity: await tripsOf(() => api(`GET /${user}/activity`)),
      pay: await tripsOf(() => pay(user, { status: 'completed' })),
      transactions: await tripsOf(() => api(`GET /${user}/transactions`)),
      transaction: await tripsOf(() => api(`GET ${path}`)),
      step: await tripsOf(() => api(`PATCH ${path}`, { body: { status: 'completed' } })),
      balances: await tripsOf(() => api(`GET /${user}/balances`)),
    }
    expect(trips).toEqual({
      create: 4,
      createNamed: 4,
      read: 1,
      list: 1,
      patch: 5,
      activity: 1,
      pay: 4,
      transactions: 1,
      transaction: 1,
      step: 4,
      balances: 1,
    })
  })
})
