import { describe, expect, it } from 'vitest'
import { lookStatement } from '../../../functions-ops/src/maintenance/look-for-due.ts'
import { pruneBatch, pruneBatchStatement } from '../../../functions-ops/src/maintenance/prune-batch.ts'
import type { PrunedTable } from '../../../functions-ops/src/maintenance/pruned-table.ts'
import { application } from '../../src/application.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { storeChecks, storeCounters, storeEvents, tables, withMaintenance } from './maintenance.ts'

// No row of these tables of the packages is deleted by its age.
const KEPT_BY_PACKAGES = ['alerts_raised', 'schema_migrations']

/** By table: stores many rows that are kept, and a few that are not. */
export type Fills = Readonly<Record<string, (database: TestDatabase) => Promise<void>>>

/** By table: stores rows of an age. */
export type Stores = Readonly<Record<string, (database: TestDatabase, count: number, age: string) => Promise<void>>>

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  Plans?: Plan[]
}

/** Every step of a plan that touches a table. */
function scansOf(plan: Plan): string[] {
  const own = plan['Node Type'].includes('Scan') && (plan['Relation Name'] ?? plan['Index Name']) !== undefined ? [plan['Node Type']] : []
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)]
}

async function planOf(database: TestDatabase, statement: string, values: unknown[]): Promise<string[]> {
  const names = [...new Set([...statement.matchAll(/\$(\w+)/g)].map(([, name]) => name))]
  const numbered = statement.replaceAll(/\$(\w+)/g, (_, name: string) => `$${names.indexOf(name) + 1}`)
  const [row] = await database.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`EXPLAIN (FORMAT JSON) ${numbered}`, values)
  const plan = row?.['QUERY PLAN'][0]?.Plan
  if (!plan) throw new Error('there is no plan')
  return scansOf(plan)
}

/** Tests of what the application under test and the packages declare of their tables. */
export function describePrunedTables(): void {
  describe('the tables that are pruned', () => {
    it('are all tables but those that are kept for good', async () => {
      await withDatabase(async database => {
        const present = await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        const pruned = tables.filter(({ only }) => only === undefined).map(({ table }) => table)
        const declared = [...new Set(pruned), ...application.keptTables, ...KEPT_BY_PACKAGES]
        expect(present.map(({ name }) => name)).toEqual(declared.sort())
      })
    })

    it('are referred to by no other table, which would have to be searched and locked for each row', async () => {
      await withDatabase(async database => {
        const referring = "SELECT conrelid::regclass::text AS by FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY ($1::regclass[])"
        const whole = tables.filter(({ only }) => only === undefined)
        expect(await database.query(referring, [whole.map(({ table }) => table)])).toEqual([])
      })
    })

    it('lead an index with the column that their age is counted from', async () => {
      await withDatabase(async database => {
        for (const pruned of tables) {
          const { table, since } = pruned
          const leading = await database.query<{ valid: boolean }>(
            `SELECT indisvalid AS valid FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
             WHERE indrelid = $1::regclass AND attname = $2 AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) = $3)`,
            [table, since, await predicateOf(database, pruned)],
          )
          expect(leading).toContainEqual({ valid: true })
        }
      })
    })
  })
}

/** Fills the tables of the packages, for `describePlans`. */
export const packageFills: Fills = {
  async webhook_events(database) {
    await storeEvents(database, 10_000, '10 days')
    await database.query("UPDATE webhook_events SET body = 'x'")
    await storeEvents(database, 50, '61 days')
  },
  async health_checks(database) {
    await storeChecks(database, 10_000, '10 days')
    await storeChecks(database, 50, '15 days')
  },
  async operation_counters(database) {
    await storeCounters(database, 10_000, '10 days')
    await storeCounters(database, 50, '15 days')
  },
}

/**
 * Tests that no table of `fills` is read from end to end. The plan for a table without rows proves nothing, so a table that is not
 * filled is left out.
 */
export function describePlans(fills: Fills): void {
  it.each([{ analyzed: true }, { analyzed: false }])('no pruned table is read from end to end, analyzed: $analyzed', async ({ analyzed }) => {
    await withDatabase(async database => {
      for (const fill of Object.values(fills)) await fill(database)
      if (analyzed) await database.query('ANALYZE')
      const indexed = expect.stringMatching(/^(Index Only Scan|Index Scan|Bitmap Index Scan|Bitmap Heap Scan)$/) as string
      for (const table of tables.filter(({ table: name }) => name in fills)) {
        const scans = await planOf(database, pruneBatchStatement(table)('public'), [new Date().toISOString(), table.keepMs / 1000, 1_000])
        expect(new Set(scans)).not.toContain('Seq Scan')
        expect(scans).toEqual(expect.arrayContaining(['Tid Scan', indexed]))
        expect(await planOf(database, lookStatement([table])('public'), [null, table.keepMs / 1000])).toContainEqual(indexed)
      }
    })
  })
}

/** Tests to the microsecond which rows of the tables of `stores` are deleted. */
export function describeAges(stores: Stores): void {
  it.each(tables.filter(({ clear, table }) => clear === undefined && table in stores))(
    'keeps a row of $table of exactly the age, and deletes one that is a microsecond older',
    async table => {
      await withMaintenance(async ({ database, containers: [container] }) => {
        const id = table.table === 'operation_counters' ? 'label' : 'id'
        await stores[table.table]?.(database, 3, '0')
        const now = '2026-03-29 03:30:00.123456+02'
        const ages = [table.keepMs * 1000 - 1, table.keepMs * 1000, table.keepMs * 1000 + 1]
        const ids = (await database.query<{ id: string }>(`SELECT ${id} AS id FROM ${table.table} ORDER BY ${id}`)).map(({ id }) => id)
        expect(ids).toHaveLength(ages.length)
        for (const [index, age] of ages.entries()) {
          await database.query(`UPDATE ${table.table} SET ${table.since} = $1::timestamptz - make_interval(secs => $2) WHERE ${id} = $3`, [
            now,
            age / 1_000_000,
            ids[index],
          ])
        }
        // Where the clocks were changed that night, a day by the calendar would be an hour off.
        await database.query(`ALTER DATABASE ${database.name} SET timezone = 'Europe/Berlin'`)
        if (!container) throw new Error('there is no container')
        expect(await pruneBatch(table, { database: container.service, now, rows: 10 })).toBe(1)
        expect((await database.query<{ id: string }>(`SELECT ${id} AS id FROM ${table.table} ORDER BY ${id}`)).map(({ id }) => id)).toEqual(
          ids.slice(0, 2),
        )
      })
    },
  )
}

/** The predicate of a partial index of the rows that are pruned, as PostgreSQL shows it. */
async function predicateOf(database: TestDatabase, { table, since, only, clear }: PrunedTable): Promise<string | undefined> {
  const conditions = [
    ...(clear === undefined ? [] : [`${clear[0]} IS NOT NULL`]),
    // PostgreSQL shows parentheses around a list of ANDs, too.
    ...(only === undefined ? [] : [/\bOR\b/i.test(only) ? `(${only})` : only]),
  ]
  if (conditions.length === 0) return undefined
  await database.query(`CREATE INDEX wanted ON ${table} (${since}) WHERE ${conditions.join(' AND ')}`)
  const [row] = await database.query<{ predicate: string }>(
    "SELECT pg_get_expr(indpred, indrelid) AS predicate FROM pg_index WHERE indexrelid = 'wanted'::regclass",
  )
  await database.query('DROP INDEX wanted')
  return row?.predicate
}
