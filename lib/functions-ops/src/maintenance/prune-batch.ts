import type { DatabaseService, ExecuteOptions } from '../../../functions-runtime/src/database/service.ts'
import { sql, table as named, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import type { PrunedTable } from './pruned-table.ts'

/**
 * The statement that deletes or clears one batch. Rows that another transaction holds are passed over, so that a batch waits for
 * nobody and no deadlock can include it. By ctid, because the rows are locked: the server then fetches just these,
 * while a join by id makes it read the whole table as soon as it thinks the table small.
 */
export function pruneBatchStatement(pruned: PrunedTable): Statement {
  const { table, since, clear, set } = pruned
  const change =
    clear === undefined
      ? sql`DELETE FROM ${named(table)}`
      : sql`UPDATE ${named(table)} SET ${[...clear.map(column => `${column} = NULL`), ...(set === undefined ? [] : [set])].join(', ')}`
  return sql`
    WITH gone AS (
      ${change} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${named(table)} WHERE ${isDue(pruned, '$now', '$keepSeconds')} ORDER BY ${since} LIMIT $rows FOR UPDATE SKIP LOCKED))
      RETURNING 1)
    SELECT count(*)::int AS deleted FROM gone`
}

/** In SQL, whether a row is meant and old enough, and still has what it is to lose. */
export function isDue({ since, only, clear }: PrunedTable, now: string, keepSeconds: string): string {
  const conditions = [
    `${since} < ${cutoff(now, keepSeconds)}`,
    // Without parentheses an OR in it would end the condition on the age.
    ...(only === undefined ? [] : [`(${only})`]),
    ...(clear === undefined ? [] : [`${clear[0]} IS NOT NULL`]),
  ]
  return conditions.join(' AND ')
}

/**
 * The instant before which a row is old enough, in SQL. By the database's clock, which is one for all containers: one
 * of theirs that runs ahead would delete what is still to be kept. In seconds, since a day of an interval has 23 or 25
 * hours where the session's time zone changes its clocks.
 */
function cutoff(now: string, keepSeconds: string): string {
  return `${now}::timestamptz - make_interval(secs => ${keepSeconds})`
}

/**
 * Deletes or clears at most `rows` rows, the oldest first, in a transaction of their own, and resolves to how many there were.
 * `now` is the database's, as `lookForDue` gives it.
 */
export async function pruneBatch(
  table: PrunedTable,
  { database, now, rows, ...options }: { database: Pick<DatabaseService, 'execute'>; now: string; rows: number } & Pick<ExecuteOptions, 'deadline'>,
): Promise<number> {
  const [result] = await database.execute(
    `maintenance.prune.${table.name}`,
    ({ query }) => query<{ deleted: number }>(pruneBatchStatement(table), { now, keepSeconds: table.keepMs / 1000, rows }),
    options,
  )
  return result?.deleted ?? 0
}
