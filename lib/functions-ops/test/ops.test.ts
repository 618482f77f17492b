import { describe, expect, it } from 'vitest'
import { main as maintenance } from '../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { main as migrate } from '../../functions-devkit/test/application/packages/ops/migrate/index.ts'
import { migrationSettings } from '../../functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../functions-runtime/src/database/migrate.ts'
import { migrations } from '../../functions-devkit/test/application/lib/app/migrations/index.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { withDatabase, type TestDatabase } from '../../functions-devkit/test/support/database.ts'
import { environmentFor, withEnvironment, withFunctions } from '../../functions-devkit/test/support/functions.ts'

const names = migrations.map(migration => migration.name)

function run(database: TestDatabase, list: readonly Migration[], remainingMs = 10_000) {
  const settings = migrationSettings.parse(environmentFor(database)).value
  if (!settings) throw new Error('the settings of the test are wrong')
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  return applyMigrations({ settings, deadline, migrations: list }).finally(() => deadline.clear())
}

describe('ops/migrate', () => {
  it('applies what is pending and nothing twice', async () => {
    await withDatabase(
      async database => {
        await withEnvironment(environmentFor(database), async () => {
          expect(await migrate({})).toEqual({ applied: names, alreadyApplied: 0 })
          expect(await migrate({})).toEqual({ applied: [], alreadyApplied: names.length })
        })
        await migrate.shutdown()
      },
      { empty: true },
    )
  })

  it('does no harm when several run at once, one of them building an index concurrently', async () => {
    await withDatabase(
      async database => {
        const list: Migration[] = [
          { name: '1-table', up: async ({ query }) => void (await query('CREATE TABLE things (a int)')) },
          {
            name: '2-index',
            transaction: false,
            up: async ({ query }) => (
              await query('SELECT pg_sleep(0.4)'),
              await query('CREATE INDEX CONCURRENTLY things_a ON things (a)'),
              void (await query('INSERT INTO things VALUES (1)'))
            ),
          },
        ]
        const results = await Promise.all(Array.from({ length: 4 }, () => run(database, list)))
        expect(results.map(result => result.applied.length).sort()).toEqual([0, 0, 0, 2])
        expect(await database.query('SELECT a FROM things')).toEqual([{ a: 1 }])
      },
      { empty: true },
    )
  })

  it('leaves nothing of a migration that fails, keeps those before it and reports the first error', async () => {
    await withDatabase(
      async database => {
        const list: Migration[] = [
          { name: '1', up: async ({ query }) => void (await query('CREATE TABLE kept (a int)')) },
          { name: '2', up: async ({ query }) => (await query('CREATE TABLE lost (a int)'), void (await query('SELECT 1/0'))) },
        ]
        await expect(run(database, list)).rejects.toMatchObject({ code: 'migration-failed', cause: { code: '22012' } })
        expect(await database.query("SELECT to_regclass('kept') IS NOT NULL AS kept, to_regclass('lost') IS NULL AS lost")).toEqual([
          { kept: true, lost: true },
        ])
        expect(await database.query('SELECT name FROM schema_migrations')).toEqual([{ name: '1' }])
      },
      { empty: true },
    )
  })

  it('gives up at its deadline when another holds the lock, and when a statement takes too long', async () => {
    await withDatabase(
      async database => {
        await database.query('SELECT pg_advisory_lock(7126001)')
        await expect(run(database, [], 600)).rejects.toMatchObject({ code: 'deadline-exceeded' })
        await database.query('SELECT pg_advisory_unlock(7126001)')
        const slow: Migration = { name: 'slow', up: async ({ query }) => void (await query('SELECT pg_sleep(60)')) }
        await expect(run(database, [slow], 600)).rejects.toMatchObject({ code: 'deadline-exceeded' })
        // The server notices that its client is gone, and gives up statement and lock long before the statement's end.
        expect(await run(database, [{ name: 'next', up: async () => undefined }], 9_000)).toMatchObject({ applied: ['next'] })
      },
      { empty: true },
    )
  })

  it('reports a failure under `error` without telling where the database is', async () => {
    await withFunctions(
      [migrate],
      async database => {
        const answer = await migrate({}, { getRemainingTimeInMillis: () => 2_000 })
        expect(answer).toMatchObject({ error: { code: 'database-unavailable', status: 503 } })
        expect(JSON.stringify(answer)).not.toContain(database.connectionSettings.host)
      },
      { DB_PORT: '1' },
    )
  })
})

describe('ops/maintenance', () => {
  it('prunes processed events that are older than the retention, in more than one batch, and no others', async () => {
    await withFunctions([maintenance], async database => {
      const insert = (prefix: string, count: number, processed: string | null) =>
        database.query(
          `INSERT INTO webhook_events (id, source, external_id, type, received_at, processed_at, outcome)
           SELECT gen_random_uuid(), 'demo', $1 || n, 't', now() - interval '40 days', now() - $3::interval, CASE WHEN $3 IS NULL THEN NULL ELSE 'applied' END FROM generate_series(1, $2::int) n`,
          [prefix, count, processed],
        )
      await insert('old', 1_500, '61 days')
      await insert('young', 3, '59 days')
      await insert('open', 2, null)
      expect(await maintenance({ task: 'maintenance' }, { getRemainingTimeInMillis: () => 60_000 })).toEqual({
        outcome: 'complete',
        complete: true,
        buffer: null,
        attempts: null,
        erased: { activities: null },
        pruned: {
          webhookPayloads: { deleted: 0, left: 0 },
          unattributedPayloads: { deleted: 0, left: 0 },
          webhookEvents: { deleted: 1_500, left: 0 },
          activities: { deleted: 0, left: 0 },
          healthChecks: { deleted: 0, left: 0 },
          operationCounters: { deleted: 0, left: 0 },
          passingUsers: { deleted: 0, left: 0 },
        },
      })
      expect(await database.query('SELECT count(*)::int AS left FROM webhook_events')).toEqual([{ left: 5 }])
    })
  })
})
