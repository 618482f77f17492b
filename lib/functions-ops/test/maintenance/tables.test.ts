import { describe, expect, it } from 'vitest'
import { lookStatement } from '../../src/maintenance/look-for-due.ts'
import { pruneBatchStatement } from '../../src/maintenance/prune-batch.ts'
import type { PrunedTable } from '../../src/maintenance/pruned-table.ts'
import { SMOKE_MARK } from '../../../app/users/smoke-mark.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import {
  storeActivities,
  storeChecks,
  storeCounters,
  storeErasedUsers,
  storeKeys,
  storeEvents,
  tables,
} from '../../../functions-devkit/test/support/maintenance.ts'

// What a table is for decides whether its rows are ever deleted by their age: these are kept until somebody asks.
const KEPT = ['alerts_raised', 'balances', 'schema_migrations', 'transactions', 'users']

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

/** Ten thousand rows that are kept, and a few that are not. */
async function fill(database: TestDatabase, { analyzed }: { analyzed: boolean }): Promise<void> {
  await storeEvents(database, 10_000, '10 days')
  await database.query("UPDATE webhook_events SET body = 'x'")
  await storeEvents(database, 50, '61 days')
  await storeActivities(database, 10_000, '10 days')
  await storeActivities(database, 50, '91 days')
  await storeKeys(database, 10_000, '1 hour')
  await storeKeys(database, 50, '2 days')
  for (const store of [storeChecks, storeCounters]) {
    await store(database, 10_000, '10 days')
    await store(database, 50, '15 days')
  }
  await storeErasedUsers(database, 10_000, { age: '2 days', mark: '' })
  await storeErasedUsers(database, 50, { age: '2 days', mark: SMOKE_MARK })
  if (analyzed) await database.query('ANALYZE')
}

describe('the tables that are pruned', () => {
  it('are all tables but those that are kept for good', async () => {
    await withDatabase(async database => {
      const present = await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
      const pruned = tables.filter(({ only }) => only === undefined).map(({ table }) => table)
      expect(present.map(({ name }) => name)).toEqual([...new Set(pruned), ...KEPT].sort())
    })
  })

  it('are referred to by no other table, which would have to be searched and locked for each row', async () => {
    await withDatabase(async database => {
      const referring = "SELECT conrelid::regclass::text AS by FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY ($1::regclass[])"
      const whole = tables.filter(({ only }) => only === undefined)
      expect(await database.query(referring, [whole.map(({ table }) => table)])).toEqual([])
    })
  })

  it.each([{ analyzed: true }, { analyzed: false }])('are never read from end to end, analyzed: $analyzed', async ({ analyzed }) => {
    await withDatabase(async database => {
      await fill(database, { analyzed })
      const indexed = expect.stringMatching(/^(Index Only Scan|Index Scan|Bitmap Index Scan|Bitmap Heap Scan)$/) as string
      for (const table of tables) {
        const scans = await planOf(database, pruneBatchStatement(table)('public'), [new Date().toISOString(), table.keepMs / 1000, 1_000])
        expect(new Set(scans)).not.toContain('Seq Scan')
        expect(scans).toEqual(expect.arrayContaining(['Tid Scan', indexed]))
        expect(await planOf(database, lookStatement([table])('public'), [null, table.keepMs / 1000])).toContainEqual(indexed)
      }
    })
  })

  it('lead an index with the column that their age is counted from', async () => {
    await withDatabase(async database => {
      for (const { table, since, only, clear } of tables) {
        const leading = await database.query<{ valid: boolean }>(
          `SELECT indisvalid AS valid FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
           WHERE indrelid = $1::regclass AND attname = $2 AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) = $3)`,
          [table, since, predicateOf({ only, clear })],
        )
        expect(leading).toContainEqual({ valid: true })
      }
    })
  })
})

/** As PostgreSQL shows the predicate of an index. */
function predicateOf({ only, clear }: Record<'only', PrunedTable['only']> & Record<'clear', PrunedTable['clear']>): string {
  const conditions = [
    ...(clear === undefined ? [] : [`${clear[0]} IS NOT NULL`]),
    ...(only?.replace(/ LIKE (.*)/, ' ~~ $1::text').split(' AND ') ?? []),
  ]
  return conditions.length === 1 ? `(${conditions[0]})` : `(${conditions.map(condition => `(${condition})`).join(' AND ')})`
}
