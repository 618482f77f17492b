import type { CounterDescription } from '../../functions-runtime/src/telemetry/counters.ts'

/** Describes what the inbox counts, for the counters of an application whose function receives webhooks. */
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
