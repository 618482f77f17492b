import { describe, expect, it } from 'vitest'
import type { Main } from '../../../functions-runtime/src/edge/define.ts'
import { startPgBouncer, hasPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { dumpRows } from './catalog.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { environmentFor, withEnvironment } from './functions.ts'
import { healthKey } from './health.ts'

export interface EverythingUsed {
  /** All functions, `ops/migrate` among them. */
  readonly mains: readonly Main[]
  readonly migrate: Main
  /** Tables that belong to the functions. */
  readonly tables: readonly string[]
  /** Uses everything that has a statement of its own. */
  readonly use: (database: TestDatabase, schema: string) => Promise<void>
  /** How many rows a table holds afterwards. */
  readonly leaves: Readonly<Record<string, number>>
}

/** Tests that functions work in a schema of their own, whatever the search path, and touch no other table of the same name. */
export function describeBeside({ mains, migrate, tables, use: useEverything, leaves }: EverythingUsed): void {
  /** An application's own tables, under every name that ours have, and one row in each. */
  async function makeTheirs(database: TestDatabase, schema: string): Promise<void> {
    await database.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
    for (const table of tables) {
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

  async function countIn(database: TestDatabase, schema: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const table of tables) {
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
          expect(await countIn(database, 'Select')).toMatchObject({
            ...leaves,
            schema_migrations: (await countIn(database, 'one')).schema_migrations,
          })
        },
        { empty: true },
      )
    })
  })
}
