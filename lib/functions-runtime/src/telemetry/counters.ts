/**
 * A counter and its metric. Each package describes the counters that it increments; the application passes all of them to the
 * health function.
 */
export interface CounterDescription {
  readonly name: string
  /** The metric's name in Prometheus. */
  readonly metric: string
  readonly help: string
  /** What a counter's label and outcome are called, if it has any. */
  readonly label?: string
  readonly outcome?: string
}

/** How often one thing happened. */
export interface Count {
  readonly name: string
  /** What it happened to, where that matters. */
  readonly label: string
  readonly outcome: string
  readonly count: number
}

/** Counts of things that happened in this container, by name and, where there are several, by label and outcome. */
export interface Counters {
  add(name: string, label?: string, outcome?: string): void
  /** Since the container began. */
  get(name: string, label?: string, outcome?: string): number
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
        return { name, label, outcome, count }
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
