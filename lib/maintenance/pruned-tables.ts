import type { RetentionSettings } from '../config/settings/retention.ts'

/** A table whose old rows are deleted. */
export interface PrunedTable {
  /** What the answer calls it. */
  readonly name: string
  readonly table: string
  /** The column that a row's age is counted from; it leads an index, and a row where it is null is kept for good. */
  readonly since: string
  /** How old a row has to be, in ms. */
  readonly keepMs: number
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Every table that is pruned, each with its line. No other table refers to one of these: a batch then takes no lock
 * but those on its own rows. A test tells when a new table is neither here nor meant to be kept.
 */
export function prunedTables(retention: RetentionSettings): readonly PrunedTable[] {
  return [
    // An event that is still to be processed has no processed_at.
    { name: 'webhookEvents', table: 'webhook_events', since: 'processed_at', keepMs: retention.webhookDays * DAY_MS },
    { name: 'activities', table: 'activities', since: 'created_at', keepMs: retention.activityDays * DAY_MS },
  ]
}
