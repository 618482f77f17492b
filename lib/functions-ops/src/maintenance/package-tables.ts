import { DAY_MS, type RetentionSettings } from '../settings/retention.ts'
import type { PrunedTable } from './pruned-table.ts'

/** The tables of the packages that maintenance prunes: those of the inbox, of health and of the counters. */
export function packageTables(retention: RetentionSettings): readonly PrunedTable[] {
  return [
    // An event that is still to be processed has no processed_at. What was sent goes first; that it was processed has to
    // be known for as long as its sender may send it again.
    {
      name: 'webhookPayloads',
      table: 'webhook_events',
      since: 'processed_at',
      keepMs: retention.webhookDays * DAY_MS,
      clear: ['body', 'headers', 'concerns', 'invalid_paths'],
    },
    // Erasing a person cannot find these. A parked one ends: there is nothing left to look at.
    {
      name: 'unattributedPayloads',
      table: 'webhook_events',
      since: 'received_at',
      only: 'concerns IS NULL AND user_id IS NULL AND outcome IS NOT NULL',
      clear: ['body', 'headers', 'invalid_paths'],
      set: "outcome = CASE outcome WHEN 'failed' THEN 'ignored' ELSE outcome END, processed_at = coalesce(processed_at, now())",
      keepMs: retention.unattributedDays * DAY_MS,
    },
    { name: 'webhookEvents', table: 'webhook_events', since: 'processed_at', keepMs: (retention.webhookDays + retention.redeliveryDays) * DAY_MS },
    { name: 'healthChecks', table: 'health_checks', since: 'checked_at', keepMs: retention.healthDays * DAY_MS },
    // Those for all time have the minute infinity.
    { name: 'operationCounters', table: 'operation_counters', since: 'minute', keepMs: retention.healthDays * DAY_MS },
  ]
}
