import { expect, it } from 'vitest'
import { migrations as opsMigrations } from '../../../functions-ops/src/migrations/index.ts'
import { migrations as runtimeMigrations } from '../../src/migrations/index.ts'
import { migrations as inboxMigrations } from '../../../webhook-inbox/src/migrations/index.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { migrate } from '../../../functions-devkit/test/support/templates.ts'

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

it('nobody is erased in an inbox whose application says nothing of that', async () => {
  await withDatabase(
    async database => {
      await migrate(database.url, inboxMigrations)
      expect(await database.query('SELECT id, name FROM webhook_erased')).toEqual([])
    },
    { empty: true },
  )
})
