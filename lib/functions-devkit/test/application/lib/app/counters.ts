import { poolCounters } from '../../../../../functions-runtime/src/telemetry/pool-counters.ts'
import type { CounterDescription } from '../../../../../functions-runtime/src/telemetry/counters.ts'
import { inboxCounters } from '../../../../../webhook-inbox/src/counters.ts'

export const counters: readonly CounterDescription[] = [...poolCounters, ...inboxCounters]
