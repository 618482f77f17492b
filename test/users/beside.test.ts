import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { main as user } from '../../packages/api/user/index.ts'
import { main as webhook } from '../../packages/api/webhook/index.ts'
import { main as health } from '../../packages/api/health/index.ts'
import { main as migrate } from '../../packages/ops/migrate/index.ts'
import { main as maintenance } from '../../packages/ops/maintenance/index.ts'
import { describeBeside } from '../../lib/functions-devkit/test/support/beside.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { call } from '../../lib/functions-devkit/test/support/functions.ts'
import { knowing } from '../../lib/functions-devkit/test/support/health.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'
import { api, balancesOf, newUser, pay } from '../support/api.ts'

const manage = (webhooks: Record<string, unknown>) => maintenance({ task: 'webhooks', ...webhooks })

async function send(body: string): Promise<number> {
  return (await call(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body), body })).statusCode
}

async function useEverything(database: TestDatabase, schema: string): Promise<void> {
  const externalId = `usr_${randomUUID()}`
  // Before its user is there.
  expect(await send(completedTransaction({ userId: externalId }))).toBe(200)
  const id = await newUser({ externalId, email: `${externalId}@example.com` })
  const other = await newUser()
  expect(await balancesOf(id)).toEqual(['12.50 EUR'])
  const key = randomUUID()
  const [first, second] = [await pay(other, { status: 'pending' }, key), await pay(other, { status: 'pending' }, key)]
  expect([first.statusCode, second.body]).toEqual([201, first.body])
  const transaction = `/${other}/transactions/${String(first.body.id)}`
  expect(
    await api(`PATCH ${transaction}`, { body: { status: 'completed' }, headers: { 'content-type': 'application/merge-patch+json' } }),
  ).toMatchObject({ statusCode: 200 })
  for (const path of [transaction, `/${other}/transactions`, `/${other}/activity`, '/', `/${other}`])
    expect((await api(`GET ${path}`)).statusCode).toBe(200)
  const { headers } = await api(`GET /${other}`)
  const merge = { 'content-type': 'application/merge-patch+json', 'if-match': String(headers.etag) }
  expect(await api(`PATCH /${other}`, { body: { name: 'Grace' }, headers: merge })).toMatchObject({ statusCode: 200, body: { name: 'Grace' } })
  expect(await send(eventBody('user.updated', { userId: externalId, email: `${externalId}@example.com`, name: 'Ada' }))).toBe(200)

  // Does not fit its handler: parked, shown, tried again by maintenance, parked again.
  expect(await send(completedTransaction({ userId: externalId, amount: 'much' }))).toBe(200)
  const listed = (await manage({ action: 'list' })) as { events: { id: string }[] }
  expect(listed.events).toHaveLength(1)
  expect(await manage({ action: 'show', id: listed.events[0]?.id, body: true })).toMatchObject({ event: { state: 'parked' } })
  expect(await manage({ action: 'retry', id: 'all' })).toMatchObject({ retried: 1 })
  await database.query(
    `INSERT INTO "${schema}".activities (id, user_id, kind, created_at) SELECT gen_random_uuid(), $1, 'k', now() - interval '400 days'`,
    [other],
  )
  expect(await maintenance({}, { getRemainingTimeInMillis: () => 30_000 })).toMatchObject({
    outcome: 'complete',
    attempts: { parked: 1 },
    pruned: { activities: { deleted: 1 } },
  })
  expect(await manage({ action: 'retry', id: listed.events[0]?.id })).toMatchObject({ retried: 1 })
  expect(await manage({ action: 'park', id: listed.events[0]?.id })).toMatchObject({ parked: 1 })

  expect((await api(`DELETE /${id}`)).statusCode).toBe(204)
  expect((await api(`GET /${id}`)).statusCode).toBe(404)
  expect(await send(completedTransaction({ userId: externalId }))).toBe(200)

  expect(await call(health, { path: '/ready', headers: knowing })).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
  expect(await health({ source: 'schedule' })).toMatchObject({ status: 'pass' })
  expect(await call(health, { path: '/metrics', headers: knowing })).toMatchObject({ statusCode: 200 })
}

describeBeside({
  mains: [user, webhook, health, maintenance, migrate],
  migrate,
  tables: [
    'users',
    'transactions',
    'activities',
    'balances',
    'webhook_events',
    'idempotency_keys',
    'operation_counters',
    'health_checks',
    'alerts_raised',
    'schema_migrations',
  ],
  use: useEverything,
  leaves: { users: 2 },
})
