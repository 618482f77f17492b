import type { Alerts } from '../alerts/alerts.ts'
import type { BufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import type { PayloadKeys } from '../../../webhook-inbox/src/settings/payload.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import { attemptDue, type AttemptsReport } from '../../../webhook-inbox/src/inbox/attempts.ts'
import { drainBuffer, type DrainReport } from '../../../webhook-inbox/src/buffer/drain.ts'
import type { DescribedSource } from '../../../webhook-inbox/src/verify/source.ts'
import type { Eraser } from './eraser.ts'
import { lookForDue } from './look-for-due.ts'
import { pruneTables, type PrunedReport, type PruneOptions } from './prune.ts'
import type { PrunedTable } from './pruned-table.ts'

interface Failed {
  readonly error: string
}

/** What a run did and what it left for the next. */
export interface MaintenanceReport {
  /** `failed` when something needs a person; `incomplete` when only time was short, or another run was at it. */
  readonly outcome: 'complete' | 'incomplete' | 'failed'
  readonly complete: boolean
  /** Of the outage buffer; null where there is none. */
  readonly buffer: DrainReport | Failed | null
  /** Of events that were due; null when none was. */
  readonly attempts: AttemptsReport | Failed | null
  /** How much each eraser erased; null where nothing was due. */
  readonly erased: Readonly<Record<string, number | Failed | null>>
  readonly pruned: Readonly<Record<string, PrunedReport>>
  /** The platform marks an activation whose result has this as failed. */
  readonly error?: { readonly code: 'maintenance-failed'; readonly detail: string }
}

export interface MaintenanceOptions extends PruneOptions {
  keys: PayloadKeys
  buffer: BufferSettings | undefined
  counters?: Pick<Counters, 'add'>
  /** How long an entry that is parked in the buffer is kept when it is about no known user, in ms. */
  unattributedMs?: number
  sources: ReadonlyMap<string, DescribedSource>
  erasers: readonly Eraser[]
  /** Who hears of alerts. */
  alerts?: Pick<Alerts, 'passOn'>
}

// Looked at together with the tables: a run that finds nothing to do has sent one statement.
const DUE_EVENTS: PrunedTable = { name: 'dueEvents', table: 'webhook_events', since: 'next_attempt_at', keepMs: 0 }
// Events before house-keeping: this is what each of the first two may take of the time that is left.
const SHARE = 0.5

/**
 * Does everything that has to be done now and then: brings buffered events in, tries due ones again, prunes. Running
 * out of time is no error: the next run goes on. Several at once do no harm.
 * @throws DatabaseUnavailableError when nothing could be begun.
 */
export async function maintain(options: MaintenanceOptions): Promise<MaintenanceReport> {
  const { tables, erasers, database, deadline, logger, buffer: settings } = options
  const due = await lookForDue([...tables, DUE_EVENTS, ...erasers.map(eraser => eraser.due)], { database, deadline })
  const buffer = settings === undefined ? null : await bounded(deadline, own => drainBuffer({ ...options, settings, deadline: own })).catch(failed)
  const first = await eraseDue(erasers.filter(({ beforeAttempts = false }) => beforeAttempts))
  // A table that could not be looked at may have due events all the same.
  const attempts =
    due.rows.get(DUE_EVENTS.name) === 0 && Object.values(first).every(erased => erased === null) && !hasDrained(buffer)
      ? null
      : await bounded(deadline, own => attemptDue({ ...options, deadline: own })).catch(failed)
  const erased = { ...first, ...(await eraseDue(erasers.filter(({ beforeAttempts = false }) => !beforeAttempts))) }
  const pruned = await pruneTables({ ...options, due })
  const deleted = Object.fromEntries(Object.entries(pruned).flatMap(([name, report]) => (report.deleted > 0 ? [[name, report.deleted]] : [])))
  if (Object.keys(deleted).length > 0) logger.info({ event: 'maintenance.pruned', deleted })
  const report = { buffer, attempts, erased, pruned }
  const problems = [
    ...(isFailed(buffer) ? ['The outage buffer was not drained.'] : []),
    ...(isFailed(attempts) ? ['Due events were not tried.'] : []),
    ...(Object.values(erased).some(isFailed) ? ['Not all that was to be erased was.'] : []),
    ...notPruned(pruned),
  ]
  if (problems.length > 0) return { outcome: 'failed', complete: false, ...report, error: { code: 'maintenance-failed', detail: problems.join(' ') } }
  const complete = Object.values(pruned).every(({ left }) => left === 0) && (buffer === null || ('left' in buffer && buffer.left === 0))
  return { outcome: complete ? 'complete' : 'incomplete', complete, ...report }

  async function eraseDue(some: readonly Eraser[]): Promise<MaintenanceReport['erased']> {
    const done: Record<string, number | Failed | null> = {}
    for (const { name, due: of, erase } of some)
      done[name] = due.rows.get(of.name) === 0 ? null : await bounded(deadline, own => erase(database, { deadline: own, logger })).catch(failed)
    return done
  }

  function failed(error: unknown): Failed {
    if (error instanceof DatabaseUnavailableError) throw error
    logger.warn({ event: 'maintenance.step.failed', code: codeOf(error), error })
    return { error: codeOf(error) }
  }
}

async function bounded<Result>(deadline: Deadline, work: (deadline: Deadline) => Promise<Result>): Promise<Result> {
  const own = openDeadline({ remainingMs: deadline.remainingMs() * SHARE, reserveMs: 0 })
  try {
    return await work(own)
  } finally {
    own.clear()
  }
}

// What was drained may be due already.
function hasDrained(buffer: DrainReport | Failed | null): boolean {
  return buffer !== null && !isFailed(buffer) && buffer.drained > 0
}

function isFailed(report: object | number | null): report is Failed {
  return typeof report === 'object' && report !== null && 'error' in report
}

function notPruned(pruned: Readonly<Record<string, PrunedReport>>): string[] {
  const failed = Object.entries(pruned).flatMap(([name, report]) => (report.error === undefined ? [] : [name]))
  return failed.length === 0 ? [] : [`Not pruned: ${failed.join(', ')}.`]
}
