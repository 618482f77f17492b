import { DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { joined, sql, table, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { isDue } from './prune-batch.ts'
import type { PrunedTable } from './pruned-table.ts'

/** Rows are counted up to here: more of them would cost more to count than it tells. */
export const COUNTED_ROWS = 10_000

/** What a look at the tables found. */
export interface Due {
  /** The database's clock at this look, or at the one before that it was given. */
  readonly now: string | undefined
  /** By name: how many rows are old enough, at most `COUNTED_ROWS`. A table is missing here when there was no time for it. */
  readonly rows: ReadonlyMap<string, number>
  /** By name: tables that could not be looked at. */
  readonly errors: ReadonlyMap<string, unknown>
}

export interface LookOptions {
  database: Pick<DatabaseService, 'execute'>
  deadline: Deadline
  /** The clock of an earlier look: rows that have grown old enough since then do not count. */
  now?: string | undefined
}

// What the look at all tables may take of the time, so that one that is locked leaves enough for the others.
const SHARE = 0.25
// Less than this is too little for a look, whatever the share: a read keeps more than half of its time for a second try.
const SHORTEST_LOOK_MS = 1_000
// With less time than this nothing is asked: that a look did not fit is no fault of the table.
const LEAST_LOOK_MS = 100

/**
 * Counts the rows that are old enough, of all tables in one statement. Only if that fails is each table looked at by
 * itself, so that one which is missing or locked does not hide the others.
 * @throws DatabaseUnavailableError
 */
export async function lookForDue(tables: readonly PrunedTable[], options: LookOptions): Promise<Due> {
  if (tables.length === 0) return { now: options.now, rows: new Map(), errors: new Map() }
  try {
    return await look(tables, SHARE, options)
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) throw error
    return lookSingly(tables, options)
  }
}

async function lookSingly(tables: readonly PrunedTable[], options: LookOptions): Promise<Due> {
  const rows = new Map<string, number>()
  const errors = new Map<string, unknown>()
  let { now } = options
  for (const [index, table] of tables.entries()) {
    if (options.deadline.remainingMs() < LEAST_LOOK_MS) break
    try {
      const seen = await look([table], 1 / (tables.length - index + 1), { ...options, now })
      now = seen.now
      rows.set(table.name, seen.rows.get(table.name) ?? 0)
    } catch (error) {
      errors.set(table.name, error)
    }
  }
  return { now, rows, errors }
}

async function look(tables: readonly PrunedTable[], share: number, { database, deadline, now }: LookOptions): Promise<Due> {
  const leftMs = deadline.remainingMs()
  const own = openDeadline({ remainingMs: Math.min(leftMs, Math.max(SHORTEST_LOOK_MS, leftMs * share)), reserveMs: 0 })
  try {
    const bind = Object.fromEntries(tables.map(({ keepMs }, index) => [`keep${index}`, keepMs / 1000]))
    const [row] = await database.execute(
      'maintenance.look',
      ({ query }) => query<{ now: string; due: number[] }>(lookStatement(tables), { now: now ?? null, ...bind }),
      { mode: 'read', deadline: own },
    )
    return { now: row?.now, rows: new Map(tables.map(({ name }, index) => [name, row?.due[index] ?? 0])), errors: new Map() }
  } finally {
    own.clear()
  }
}

/** The statement that counts the rows of several tables that are old enough. */
export function lookStatement(pruned: readonly PrunedTable[]): Statement {
  const counts = pruned.map(
    (one, index) =>
      sql`(SELECT count(*) FROM (SELECT 1 FROM ${table(one.table)} WHERE ${isDue(one, 'coalesce($now, now()::text)', `$keep${index}`)} LIMIT ${COUNTED_ROWS}) AS due)`,
  )
  return sql`SELECT coalesce($now, now()::text) AS now, ARRAY[${joined(counts, ', ')}]::int[] AS due`
}
