import { poolCounters } from '../functions-runtime/src/telemetry/pool-counters.ts'
import type { CounterDescription } from '../functions-runtime/src/telemetry/counters.ts'
import { inboxCounters } from '../webhook-inbox/src/counters.ts'

/** All counters of the functions. Each becomes a metric. Describe your own here and increment them with `counters.add(name)`. */
export const counters: readonly CounterDescription[] = [...poolCounters, ...inboxCounters]
