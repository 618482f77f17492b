import type { PrunedTable } from '../../functions-ops/src/maintenance/pruned-table.ts'
import { SMOKE_MARK } from '../users/smoke-mark.ts'
import type { RetentionSettings } from '../../functions-ops/src/settings/retention.ts'

export const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Every table that is pruned, each with its line. No other table refers to one of these, but for the few rows of one that
 * `only` names: a batch then takes no lock but those on its own rows. A test tells when a new table is neither here nor meant to be kept.
 */
export function prunedTables(retention: RetentionSettings): readonly PrunedTable[] {
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
    { name: 'activities', table: 'activities', since: 'created_at', keepMs: retention.activityDays * DAY_MS },
    // For so long a request can be repeated.
    { name: 'idempotencyKeys', table: 'idempotency_keys', since: 'created_at', keepMs: DAY_MS },
    { name: 'healthChecks', table: 'health_checks', since: 'checked_at', keepMs: retention.healthDays * DAY_MS },
    // Those for all time have the minute infinity.
    { name: 'operationCounters', table: 'operation_counters', since: 'minute', keepMs: retention.healthDays * DAY_MS },
    // Nobody is kept from coming back by these.
    { name: 'smokeUsers', table: 'users', since: 'erased_at', only: `external_id LIKE '${SMOKE_MARK}%'`, keepMs: DAY_MS },
  ]
}
