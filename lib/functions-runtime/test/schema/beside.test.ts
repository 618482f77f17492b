import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { main as user } from '../../../../packages/api/user/index.ts'
import { main as webhook } from '../../../../packages/api/webhook/index.ts'
import { main as health } from '../../../../packages/api/health/index.ts'
import { main as migrate } from '../../../../packages/ops/migrate/index.ts'
import { main as maintenance } from '../../../../packages/ops/maintenance/index.ts'
import { startPgBouncer, hasPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { api, balancesOf, newUser, pay } from '../../../../test/support/api.ts'
import { dumpRows } from '../../../functions-devkit/test/support/catalog.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { call, environmentFor, withEnvironment } from '../../../functions-devkit/test/support/functions.ts'
import { healthKey, knowing } from '../../../functions-devkit/test/support/health.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const TABLES = [
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
]
const mains = [user, webhook, health, maintenance, migrate]

/** An application's own tables, under every name that ours have, and one row in each. */
async function makeTheirs(database: TestDatabase, schema: string): Promise<void> {
  await database.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
  for (const table of TABLES) {
    await database.query(
      `CREATE TABLE "${schema}".${table} (id int PRIMARY KEY, version text); INSERT INTO "${schema}".${table} VALUES (1, '${table}')`,
    )
  }
}

/** Runs work on functions whose tables are in `schema`; what they have open is closed afterwards. */
async function inSchema(
  database: TestDatabase,
  schema: string,
  work: () => Promise<void>,
  more: Record<string, string | undefined> = {},
): Promise<void> {
  try {
    await withEnvironment({ ...environmentFor(database), HEALTH_KEY: healthKey, DB_SCHEMA: schema, ...more }, work)
  } finally {
    await Promise.all(mains.map(main => main.shutdown()))
  }
}

const manage = (webhooks: Record<string, unknown>) => maintenance({ task: 'webhooks', ...webhooks })

async function send(body: string): Promise<number> {
  return (await call(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body), body })).statusCode
}

/** Uses everything that has a statement of its own. */
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

async function countIn(database: TestDatabase, schema: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of TABLES) {
    const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM "${schema}".${table}`)
    counts[table] = row?.count ?? -1
  }
  return counts
}

const paths: readonly (readonly [what: string, sql: (database: string) => string])[] = [
  ['the default search path', () => 'SELECT 1'],
  ['a search path that leads nowhere', name => `ALTER DATABASE "${name}" SET search_path TO nowhere`],
  ['the search path "$user"', name => `ALTER ROLE CURRENT_USER IN DATABASE "${name}" SET search_path TO "$user"`],
  ['a search path to tables of the same names', name => `ALTER ROLE CURRENT_USER IN DATABASE "${name}" SET search_path TO theirs, public`],
  ['an empty search path', name => `ALTER DATABASE "${name}" SET search_path TO ''`],
]

describe('everything works in DB_SCHEMA beside tables of the same names', () => {
  it.each(paths)('with %s', async (_, sql) => {
    await withDatabase(
      async database => {
        await makeTheirs(database, 'public')
        await makeTheirs(database, 'theirs')
        const before = [await dumpRows(database, 'public'), await dumpRows(database, 'theirs')]
        await database.query(sql(database.name))
        await inSchema(database, 'functions', async () => {
          expect(await migrate({})).toMatchObject({ alreadyApplied: 0 })
          await useEverything(database, 'functions')
        })
        expect([await dumpRows(database, 'public'), await dumpRows(database, 'theirs')]).toEqual(before)
        const { alerts_raised: _raised, ...counts } = await countIn(database, 'functions')
        expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([])
      },
      { empty: true },
    )
  })

  it.skipIf(!hasPgBouncer())('through PgBouncer whose sessions have another search path', async () => {
    await withDatabase(
      async database => {
        await makeTheirs(database, 'theirs')
        const before = await dumpRows(database, 'theirs')
        await database.query(`ALTER DATABASE "${database.name}" SET search_path TO theirs`)
        const { host, port, user: name, password } = database.connectionSettings
        const direct = `postgresql://${encodeURIComponent(name)}:${encodeURIComponent(password)}@${host}:${port}/${database.name}?sslmode=disable`
        const pooler = await startPgBouncer({ server: { host, port, user: name, password } })
        const behind = {
          DB_PORT: String(pooler.port),
          DB_HOST: pooler.host,
          DB_POOLER: 'transaction',
          DB_CA_CERT: undefined,
          DB_MIGRATION_URL: direct,
        }
        try {
          await inSchema(
            database,
            'functions',
            async () => {
              expect(await migrate({})).toMatchObject({ alreadyApplied: 0 })
              await useEverything(database, 'functions')
            },
            behind,
          )
        } finally {
          await pooler.stop('now')
        }
        expect(await dumpRows(database, 'theirs')).toEqual(before)
      },
      { empty: true },
    )
  })

  it('in the schema public, whatever the search path', async () => {
    await withDatabase(
      async database => {
        await makeTheirs(database, 'theirs')
        const before = await dumpRows(database, 'theirs')
        await database.query(`ALTER DATABASE "${database.name}" SET search_path TO theirs`)
        await inSchema(database, 'none', async () => {
          expect(await migrate({})).toMatchObject({ alreadyApplied: 0 })
          await useEverything(database, 'public')
        })
        expect(await dumpRows(database, 'theirs')).toEqual(before)
      },
      { empty: true },
    )
  })

  it('of another installation, each with rows of its own', async () => {
    await withDatabase(
      async database => {
        const use = (schema: string) =>
          inSchema(database, schema, async () => {
            expect(await migrate({})).toMatchObject({ alreadyApplied: 0 })
            await useEverything(database, schema)
          })
        await use('one')
        const before = await dumpRows(database, 'one')
        await use('Select')
        expect(await dumpRows(database, 'one')).toEqual(before)
        expect(await countIn(database, 'Select')).toMatchObject({ users: 2, schema_migrations: (await countIn(database, 'one')).schema_migrations })
      },
      { empty: true },
    )
  })
})
