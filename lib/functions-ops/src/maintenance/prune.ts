import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { createBatchSize, type BatchSize } from './batch-size.ts'
import { lookForDue, type Due } from './look-for-due.ts'
import { pruneBatch } from './prune-batch.ts'
import type { PrunedTable } from './pruned-table.ts'

/** What became of one table. */
export interface PrunedReport {
  readonly deleted: number
  /** Rows that are old enough and still there, counted to `COUNTED_ROWS`; null when that is not known. */
  readonly left: number | null
  /** Code of what kept it from being pruned to the end. */
  readonly error?: string
}

export interface PruneOptions {
  tables: readonly PrunedTable[]
  database: Pick<DatabaseService, 'execute' | 'hasReported'>
  deadline: Deadline
  logger: Logger
  /** What was found already, of these tables and perhaps of more. */
  due?: Due
  /** Most rows of one batch. */
  batchRows?: number
  /** Longest time of one batch, in ms. */
  batchMs?: number
  random?: () => number
}

// For so long may a batch keep its rows locked at worst.
const BATCH_MS = 3_000
// No batch is begun with less time than this: a transaction commits only while a quarter of a second is left for it.
const LEAST_BATCH_MS = 600
// Kept back for counting what is left.
const LAST_LOOK_MS = 2_000
const LAST_LOOK_SHARE = 0.25

interface Pruning {
  readonly table: PrunedTable
  readonly size: BatchSize
  deleted: number
  left: number | null
  open: boolean
  error: unknown
}

/**
 * Deletes what is old enough from every table, batch by batch, until it is all gone or the time is over; the next run
 * goes on from there, since what is deleted is the only trace that a run leaves. Several at once share the work. When
 * nothing is old enough it is one statement. A table that fails is reported, and the others are pruned all the same.
 * @throws DatabaseUnavailableError when nothing could be begun.
 */
export async function pruneTables(options: PruneOptions): Promise<Readonly<Record<string, PrunedReport>>> {
  const { tables, database, deadline, logger, batchRows, random = Math.random } = options
  const due = options.due ?? (await lookForDue(tables, { database, deadline }))
  const prunings = tables.map((table): Pruning => {
    const left = due.rows.get(table.name) ?? null
    const size = createBatchSize(batchRows === undefined ? {} : { most: batchRows })
    return { table, size, deleted: 0, left, open: left !== null && left > 0, error: due.errors.get(table.name) }
  })
  const begun = prunings.filter(({ open }) => open)
  if (begun.length > 0) {
    // Nothing is remembered from run to run: where each has time for little, chance lets every table be first.
    await pruneInTurns(rotated(begun, Math.floor(random() * begun.length)), due.now ?? '', options)
    await countLeft(begun, due.now, options)
  }
  for (const { table, error } of prunings) {
    if (error !== undefined) logger.warn({ event: 'maintenance.prune.failed', table: table.table, code: codeOf(error), error })
  }
  return Object.fromEntries(prunings.map(pruning => [pruning.table.name, reportOf(pruning)]))
}

/** One batch of each table in turn: none waits until another is done. */
async function pruneInTurns(prunings: readonly Pruning[], now: string, options: PruneOptions): Promise<void> {
  const { deadline } = options
  const keptMs = Math.min(LAST_LOOK_MS, deadline.remainingMs() * LAST_LOOK_SHARE)
  const timeMs = () => deadline.remainingMs() - keptMs
  for (let open = prunings; open.length > 0; open = open.filter(pruning => pruning.open)) {
    for (const [index, pruning] of open.entries()) {
      if (timeMs() < LEAST_BATCH_MS) return
      // The tables whose turn is still to come have their share of the time, however slow this one is.
      await takeTurn(pruning, { ...options, now, shareMs: Math.max(LEAST_BATCH_MS, timeMs() / (open.length - index)) })
    }
  }
}

async function takeTurn(
  pruning: Pruning,
  { database, now, shareMs, batchMs = BATCH_MS }: PruneOptions & { now: string; shareMs: number },
): Promise<void> {
  const { table, size } = pruning
  const { rows } = size
  const budgetMs = Math.min(batchMs, shareMs)
  const deadline = openDeadline({ remainingMs: budgetMs, reserveMs: 0 })
  try {
    const deleted = await pruneBatch(table, { database, deadline, now, rows })
    size.took(budgetMs - deadline.remainingMs())
    pruning.deleted += deleted
    // Fewer than asked for: the rest, if there is any, is being deleted by another run.
    pruning.open = deleted === rows
  } catch (error) {
    // Cut off, it left everything as it was: a smaller batch may fit, and one that was given less than its time proves
    // nothing against the table.
    if (error instanceof DeadlineExceededError && (size.cutOff() || shareMs < batchMs)) return
    pruning.open = false
    pruning.error = error
  } finally {
    deadline.clear()
  }
}

// Counted by the clock of the first look: what has grown old since is for the next run.
async function countLeft(prunings: readonly Pruning[], now: string | undefined, { database, deadline }: PruneOptions): Promise<void> {
  const tables = prunings.map(({ table }) => table)
  const due = await lookForDue(tables, { database, deadline, now }).catch(() => undefined)
  for (const pruning of prunings) pruning.left = due?.rows.get(pruning.table.name) ?? null
}

function reportOf({ deleted, left, error }: Pruning): PrunedReport {
  return { deleted, left, ...(error === undefined ? {} : { error: codeOf(error) }) }
}

function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  return [...items.slice(by), ...items.slice(0, by)]
}
