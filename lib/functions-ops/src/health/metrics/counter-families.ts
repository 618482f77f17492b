import type { CounterName } from '../../../../functions-runtime/src/telemetry/counters.ts'
import type { MetricFamily } from './exposition.ts'

/** One counter of the fleet, for all time. */
export interface CounterRow {
  readonly function: string
  readonly name: string
  readonly label: string
  readonly outcome: string
  readonly count: number
}

interface Described {
  readonly metric: string
  readonly help: string
  /** What a counter's label and outcome are called. */
  readonly label?: string
  readonly outcome?: string
}

const described: Readonly<Record<CounterName, Described>> = {
  events: { metric: 'functions_events_total', help: 'Deliveries of webhook events and later attempts.', label: 'source', outcome: 'outcome' },
  'event-ids-reused': { metric: 'functions_event_ids_reused_total', help: 'Event ids that came again with another body.', label: 'source' },
  operations: { metric: 'functions_operations_total', help: 'Operations on the database.', label: 'operation', outcome: 'outcome' },
  'slow-operations': {
    metric: 'functions_slow_operations_total',
    help: 'Operations that took longer than SLOW_OPERATION_MS.',
    label: 'operation',
  },
  retries: { metric: 'functions_retries_total', help: 'Tries of an operation after its first.', label: 'operation' },
  fallbacks: { metric: 'functions_fallbacks_total', help: 'Safe-executed work that gave its fallback.', label: 'operation' },
  rebuilds: { metric: 'functions_pool_rebuilds_total', help: 'Pools that took the place of another.' },
  'revalidations-failed': { metric: 'functions_revalidation_failures_total', help: 'Connections that were dead when they were to be used.' },
  'breaker-changes': { metric: 'functions_breaker_changes_total', help: 'States that a circuit breaker went into.', label: 'state' },
  'crowded-releases': { metric: 'functions_crowded_releases_total', help: 'Connections that were given back to a crowded server.' },
}

/** The counters of the whole fleet as metrics. A name that is not known, as of a newer deployment, is left out. */
export function counterFamilies(rows: readonly CounterRow[]): MetricFamily[] {
  return Object.entries(described).map(([name, { metric, help, label, outcome }]) => ({
    name: metric,
    type: 'counter',
    help,
    samples: rows
      .filter(row => row.name === name)
      .map(row => ({
        labels: {
          function: row.function,
          ...(label === undefined ? {} : { [label]: row.label }),
          ...(outcome === undefined ? {} : { [outcome]: row.outcome }),
        },
        value: row.count,
      })),
  }))
}
