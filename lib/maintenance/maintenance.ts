import { pruneTables, type PrunedReport, type PruneOptions } from './prune.ts'

/** What a run did and what it left for the next. */
export interface MaintenanceReport {
  /** `failed` when something needs a person; `incomplete` when only time was short, or another run was at it. */
  readonly outcome: 'complete' | 'incomplete' | 'failed'
  readonly complete: boolean
  readonly pruned: Readonly<Record<string, PrunedReport>>
  /** The platform marks an activation whose result has this as failed. */
  readonly error?: { readonly code: 'maintenance-failed'; readonly detail: string }
}

/**
 * Does everything that has to be done now and then. Running out of time is no error: the next run goes on.
 * @throws DatabaseUnavailableError when nothing could be begun.
 */
export async function maintain(options: PruneOptions): Promise<MaintenanceReport> {
  const pruned = await pruneTables(options)
  const deleted = Object.fromEntries(Object.entries(pruned).flatMap(([name, report]) => (report.deleted > 0 ? [[name, report.deleted]] : [])))
  if (Object.keys(deleted).length > 0) options.logger.info({ event: 'maintenance.pruned', deleted })
  const failed = Object.entries(pruned).flatMap(([name, report]) => (report.error === undefined ? [] : [name]))
  if (failed.length > 0) {
    return { outcome: 'failed', complete: false, pruned, error: { code: 'maintenance-failed', detail: `Not pruned: ${failed.join(', ')}.` } }
  }
  const complete = Object.values(pruned).every(({ left }) => left === 0)
  return { outcome: complete ? 'complete' : 'incomplete', complete, pruned }
}
