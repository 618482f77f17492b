/** Counts of things that happened in this container, by name and, where there are several, by label. */
export interface Counters {
  add(name: string, label?: string): void
  get(name: string, label?: string): number
}

export function createCounters(): Counters {
  const counts = new Map<string, number>()
  const keyOf = (name: string, label: string) => `${name}\n${label}`
  return {
    add(name, label = '') {
      const key = keyOf(name, label)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    get: (name, label = '') => counts.get(keyOf(name, label)) ?? 0,
  }
}
