import type { CounterDescription } from './counters.ts'

/** Counters of the pool and its operations. */
export const poolCounters: readonly CounterDescription[] = [
  { name: 'operations', metric: 'functions_operations_total', help: 'Operations on the database.', label: 'operation', outcome: 'outcome' },
  {
    name: 'slow-operations',
    metric: 'functions_slow_operations_total',
    help: 'Operations that took longer than SLOW_OPERATION_MS.',
    label: 'operation',
  },
  { name: 'retries', metric: 'functions_retries_total', help: 'Tries of an operation after its first.', label: 'operation' },
  { name: 'fallbacks', metric: 'functions_fallbacks_total', help: 'Safe-executed work that gave its fallback.', label: 'operation' },
  { name: 'rebuilds', metric: 'functions_pool_rebuilds_total', help: 'Pools that took the place of another.' },
  {
    name: 'revalidations-failed',
    metric: 'functions_revalidation_failures_total',
    help: 'Connections that were dead when they were to be used.',
  },
  { name: 'breaker-changes', metric: 'functions_breaker_changes_total', help: 'States that a circuit breaker went into.', label: 'state' },
  { name: 'crowded-releases', metric: 'functions_crowded_releases_total', help: 'Connections that were given back to a crowded server.' },
]
