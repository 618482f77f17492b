import { eraseDueActivities } from '../../../app/activity/erase.ts'
import { eraseDueEvents } from '../../../app/users/erase-events.ts'
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
  /** Of how many erased users the activities were erased now that could not be at once; null when none were left. */
  readonly erased: number | Failed | null
  /** How many events of erased users were erased now that could not be at once; null when none may be left. */
  readonly erasedEvents: number | Failed | null
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
  /** Who hears of alerts. */
  alerts?: Pick<Alerts, 'passOn'>
}

// Looked at together with the tables: a run that finds nothing to do has sent one statement.
const DUE_EVENTS: PrunedTable = { name: 'dueEvents', table: 'webhook_events', since: 'next_attempt_at', keepMs: 0 }
const DUE_ERASURES: PrunedTable = { name: 'dueErasures', table: 'users', since: 'activities_due_at', keepMs: 0 }
const DUE_EVENT_ERASURES: PrunedTable = { name: 'dueEventErasures', table: 'users', since: 'events_due_at', only: 'erased_at IS NOT NULL', keepMs: 0 }
// Events before house-keeping: this is what each of the first two may take of the time that is left.
const SHARE = 0.5

/**
 * Does everything that has to be done now and then: brings buffered events in, tries due ones again, prunes. Running
 * out of time is no error: the next run goes on. Several at once do no harm.
 * @throws DatabaseUnavailableError when nothing could be begun.
 */
export async function maintain(options: MaintenanceOptions): Promise<MaintenanceReport> {
  const { tables, database, deadline, logger, buffer: settings } = options
  const due = await lookForDue([...tables, DUE_EVENTS, DUE_ERASURES, DUE_EVENT_ERASURES], { database, deadline })
  const buffer = settings === undefined ? null : await bounded(deadline, own => drainBuffer({ ...options, settings, deadline: own })).catch(failed)
  // Before the attempts: pending events of erased users are due at once.
  const erasedEvents =
    due.rows.get(DUE_EVENT_ERASURES.name) === 0
      ? null
      : await bounded(deadline, own => eraseDueEvents(database, { deadline: own, logger })).catch(failed)
  // A table that could not be looked at may have due events all the same.
  const attempts =
    due.rows.get(DUE_EVENTS.name) === 0 && erasedEvents === null && !hasDrained(buffer)
      ? null
      : await bounded(deadline, own => attemptDue({ ...options, deadline: own })).catch(failed)
  const erased =
    due.rows.get(DUE_ERASURES.name) === 0 ? null : await bounded(deadline, own => eraseDueActivities(database, { deadline: own })).catch(failed)
  const pruned = await pruneTables({ ...options, due })
  const deleted = Object.fromEntries(Object.entries(pruned).flatMap(([name, report]) => (report.deleted > 0 ? [[name, report.deleted]] : [])))
  if (Object.keys(deleted).length > 0) logger.info({ event: 'maintenance.pruned', deleted })
  const report = { buffer, attempts, erased, erasedEvents, pruned }
  const problems = [
    ...(isFailed(buffer) ? ['The outage buffer was not drained.'] : []),
    ...(isFailed(attempts) ? ['Due events were not tried.'] : []),
    ...(isFailed(erased) || isFailed(erasedEvents) ? ['Not all that was to be erased was.'] : []),
    ...notPruned(pruned),
  ]
  if (problems.length > 0) return { outcome: 'failed', complete: false, ...report, error: { code: 'maintenance-failed', detail: problems.join(' ') } }
  const complete = Object.values(pruned).every(({ left }) => left === 0) && (buffer === null || ('left' in buffer && buffer.left === 0))
  return { outcome: complete ? 'complete' : 'incomplete', complete, ...report }

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
