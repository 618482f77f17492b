/** What is counted. Each is a metric of the fleet, see `lib/functions-ops/src/health/metrics/`. */
export type CounterName =
  /** Events of webhooks, by source and outcome. */
  | 'events'
  /** An id that came again with another body, by source. */
  | 'event-ids-reused'
  /** Operations on the database, by name and outcome. */
  | 'operations'
  /** Operations that took longer than they should, by name. */
  | 'slow-operations'
  /** Tries of an operation after its first, by its name. */
  | 'retries'
  /** Safe-executed work that gave its fallback, by name. */
  | 'fallbacks'
  /** Pools that took the place of another. */
  | 'rebuilds'
  /** Connections that turned out to be dead when they were to be used. */
  | 'revalidations-failed'
  /** States that the circuit breaker went into, by state. */
  | 'breaker-changes'
  /** Connections that were given back because the server was crowded. */
  | 'crowded-releases'

/** How often one thing happened. */
export interface Count {
  readonly name: CounterName
  /** What it happened to, where that matters. */
  readonly label: string
  readonly outcome: string
  readonly count: number
}

/** Counts of things that happened in this container, by name and, where there are several, by label and outcome. */
export interface Counters {
  add(name: CounterName, label?: string, outcome?: string): void
  /** Since the container began. */
  get(name: CounterName, label?: string, outcome?: string): number
  /** What was counted since this was asked last. */
  take(): Count[]
  /** What was taken and could not be delivered: it is taken again. */
  giveBack(counts: readonly Count[]): void
}

/** `noted` hears of everything that is counted, when it is. */
export function createCounters({ noted }: { noted?: (key: string) => void } = {}): Counters {
  const totals = new Map<string, number>()
  let fresh = new Map<string, number>()
  const keyOf = (name: string, label: string, outcome: string) => `${name}\n${label}\n${outcome}`
  return {
    add(name, label = '', outcome = '') {
      const key = keyOf(name, label, outcome)
      increase(totals, key, 1)
      increase(fresh, key, 1)
      noted?.(outcome === '' ? (label === '' ? name : `${name} ${label}`) : `${name} ${label} ${outcome}`)
    },
    get: (name, label = '', outcome = '') => totals.get(keyOf(name, label, outcome)) ?? 0,
    take() {
      const taken = [...fresh].map(([key, count]) => {
        const [name = '', label = '', outcome = ''] = key.split('\n')
        return { name: name as CounterName, label, outcome, count }
      })
      fresh = new Map()
      return taken
    },
    giveBack(counts) {
      for (const { name, label, outcome, count } of counts) increase(fresh, keyOf(name, label, outcome), count)
    },
  }
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
