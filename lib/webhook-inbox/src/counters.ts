import type { CounterDescription } from '../../functions-runtime/src/telemetry/counters.ts'

/** Counters of the inbox. */
export const inboxCounters: readonly CounterDescription[] = [
  {
    name: 'events',
    metric: 'functions_events_total',
    help: 'Deliveries of webhook events and later attempts.',
    label: 'source',
    outcome: 'outcome',
  },
  {
    name: 'event-ids-reused',
    metric: 'functions_event_ids_reused_total',
    help: 'Event ids that came again with another body.',
    label: 'source',
  },
]
