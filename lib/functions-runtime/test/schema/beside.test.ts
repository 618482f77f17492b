import { expect } from 'vitest'
import { main as user } from '../../../functions-devkit/test/application/packages/api/user/index.ts'
import { main as webhook } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { main as health } from '../../../functions-devkit/test/application/packages/api/health/index.ts'
import { main as migrate } from '../../../functions-devkit/test/application/packages/ops/migrate/index.ts'
import { main as maintenance } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { describeBeside } from '../../../functions-devkit/test/support/beside.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { apiKey, call } from '../../../functions-devkit/test/support/functions.ts'
import { knowing } from '../../../functions-devkit/test/support/health.ts'
import { completedTransaction, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const manage = (webhooks: Record<string, unknown>) => maintenance({ task: 'webhooks', ...webhooks })

async function send(body: string): Promise<number> {
  return (await call(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body), body })).statusCode
}

async function useEverything(database: TestDatabase, schema: string): Promise<void> {
  expect(await send(completedTransaction())).toBe(200)
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const create = async (name: string) => {
    const body = JSON.stringify({ email: `${name}@example.com`, name })
    const created = await call(user, { method: 'POST', path: '/', headers, body })
    expect(created.statusCode).toBe(201)
    return String(created.body.id)
  }
  const [id, deleted] = [await create('ada'), await create('grace')]
  for (const path of ['/', `/${id}`]) expect((await call(user, { path, headers })).statusCode).toBe(200)

  // Does not fit its handler: parked, shown, tried again by maintenance, parked again.
  expect(await send(completedTransaction({ amount: 'much' }))).toBe(200)
  const listed = (await manage({ action: 'list' })) as { events: { id: string }[] }
  expect(listed.events).toHaveLength(1)
  expect(await manage({ action: 'show', id: listed.events[0]?.id, body: true })).toMatchObject({ event: { state: 'parked' } })
  expect(await manage({ action: 'retry', id: 'all' })).toMatchObject({ retried: 1 })
  await database.query(
    `INSERT INTO "${schema}".activities (id, user_id, kind, created_at)
     SELECT gen_random_uuid(), $1, 'k', now() - age FROM unnest(ARRAY[interval '400 days', interval '1 day']) AS age`,
    [id],
  )
  expect(await maintenance({}, { getRemainingTimeInMillis: () => 30_000 })).toMatchObject({
    outcome: 'complete',
    attempts: { parked: 1 },
    pruned: { activities: { deleted: 1 } },
  })
  expect(await manage({ action: 'retry', id: listed.events[0]?.id })).toMatchObject({ retried: 1 })
  expect(await manage({ action: 'park', id: listed.events[0]?.id })).toMatchObject({ parked: 1 })

  expect((await call(user, { method: 'DELETE', path: `/${deleted}`, headers })).statusCode).toBe(204)
  expect((await call(user, { path: `/${deleted}`, headers })).statusCode).toBe(404)
  await database.query(
    `INSERT INTO "${schema}".users (id, external_id, erased_at, created_at, updated_at) VALUES (gen_random_uuid(), 'usr_erased', now(), now(), now())`,
  )
  expect(await send(completedTransaction({ userId: 'usr_erased' }))).toBe(200)

  expect(await call(health, { path: '/ready', headers: knowing })).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
  expect(await health({ source: 'schedule' })).toMatchObject({ status: 'pass' })
  expect(await call(health, { path: '/metrics', headers: knowing })).toMatchObject({ statusCode: 200 })
}

describeBeside({
  mains: [user, webhook, health, maintenance, migrate],
  migrate,
  tables: ['users', 'transactions', 'activities', 'webhook_events', 'operation_counters', 'health_checks', 'alerts_raised', 'schema_migrations'],
  use: useEverything,
  leaves: { users: 2 },
})
