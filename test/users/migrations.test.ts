import { describe, expect, it } from 'vitest'
import { migrations } from '../../lib/app/migrations/index.ts'
import { migrations as opsMigrations } from '../../lib/functions-ops/src/migrations/index.ts'
import { migrations as runtimeMigrations } from '../../lib/functions-runtime/src/migrations/index.ts'
import { migrations as inboxMigrations } from '../../lib/webhook-inbox/src/migrations/index.ts'
import { applyMigrations } from '../../lib/functions-runtime/src/database/migrate.ts'
import { migrationSettings } from '../../lib/functions-runtime/src/database/settings.ts'
import { openDeadline } from '../../lib/invocation/src/deadline.ts'
import { digestOf } from '../../lib/resilient-sequelize/src/migrate/digest.ts'
import type { Migration } from '../../lib/resilient-sequelize/src/migrate/migration.ts'
import { itFindsCreatedNames } from '../../lib/functions-devkit/test/support/created-names.ts'
import { withDatabase, type TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { environmentFor } from '../../lib/functions-devkit/test/support/functions.ts'
import { migrate } from '../../lib/functions-devkit/test/support/templates.ts'

function up(database: TestDatabase, list: readonly Migration[] = migrations) {
  const settings = migrationSettings.parse(environmentFor(database)).value
  if (settings === undefined) throw new Error('the settings of the test are wrong')
  const deadline = openDeadline({ remainingMs: 20_000, reserveMs: 0 })
  return applyMigrations({ settings, deadline, migrations: list }).finally(() => deadline.clear())
}

function missing(): never {
  throw new Error('the test asks for something that is not there')
}

const names = migrations.map(({ name }) => name)
const withEmpty = (work: (database: TestDatabase) => Promise<void>) => withDatabase(work, { empty: true })

describe('a database of an earlier version', () => {
  it.each(['valid', 'invalid'])('gets an index again that a cut off build left %s', async state => {
    await withEmpty(async database => {
      await up(database, migrations.slice(0, 4))
      await database.query('COMMENT ON TABLE schema_migrations IS NULL; CREATE INDEX webhook_events_user_id ON webhook_events (user_id)')
      if (state === 'invalid') await database.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'webhook_events_user_id'::regclass")
      expect((await up(database)).applied).toEqual(names.slice(4))
    })
  })
})

itFindsCreatedNames(migrations)

describe('the digest of a migration', () => {
  // As the versions before DB_SCHEMA have recorded them.
  it.each([
    ['2026-11-24-first-tables', '40043547c2ae90ac9d867a4199578470b526e1b17873ab446a5d340b5b5afa24'],
    ['2026-11-24-webhook-inbox-indexes', '105d84fb64c3bf6ba3a8980aecf3c8e3669c122b3d03b54da2208c69df656606'],
    ['2026-11-24-api-indexes', '83e28aa367b7647fbc63964b1c5d3fcd6d9e81bf6b8bb2bf9bf03998fe95d207'],
  ])('of %s is what earlier versions recorded', async (name, digest) => {
    expect(await digestOf(migrations.find(one => one.name === name) ?? missing())).toBe(digest)
  })
})

// Foreign keys tie the framework's tables to the application's, so that they are the application's.
const COLUMNS = `
  SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || (CASE WHEN a.attnotnull THEN 'not null' ELSE '' END) || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    || a.attidentity::text AS line
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`
const CONSTRAINTS = "SELECT pg_get_constraintdef(oid) AS line FROM pg_constraint WHERE conrelid = $1::regclass AND contype NOT IN ('f', 'n')"
const INDEXES = 'SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index WHERE indrelid = $1::regclass AND indisvalid'

async function shapeOf(database: TestDatabase, table: string): Promise<string[]> {
  const lines = await Promise.all([COLUMNS, CONSTRAINTS, INDEXES].map(text => database.query<{ line: string }>(text, [table])))
  return lines.flat().map(({ line }) => line.trim())
}

it.each([
  ['the runtime', runtimeMigrations, ['operation_counters']],
  ['the inbox', inboxMigrations, ['webhook_events']],
  ['operations', opsMigrations, ['health_checks', 'alerts_raised']],
] as const)("the migrations of %s alone make the tables that the application's have grown into", async (_package, migrations, tables) => {
  await withDatabase(async grown => {
    await withDatabase(
      async fresh => {
        await migrate(fresh.url, migrations)
        for (const table of tables) {
          const wanted = (await shapeOf(grown, table)).sort()
          expect(wanted.length).toBeGreaterThan(3)
          expect((await shapeOf(fresh, table)).sort()).toEqual(wanted)
        }
      },
      { empty: true },
    )
  })
})
