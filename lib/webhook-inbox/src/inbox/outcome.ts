/** How an event ended. `failed`: parked until a person has looked at it. An event without an outcome is pending. */
export type EventOutcome = 'applied' | 'ignored' | 'failed'
