/** Tells from the runs so far how long the others will take. */
export interface Estimate {
  /** Takes note of a run that took so long. */
  add(kind: string, ms: number): void
  /** In ms; undefined until each kind of run was measured once. */
  leftMs(): number | undefined
}

/** What is to be done by so many lanes at a time: how many runs of each kind. */
export interface Work {
  readonly lanes: number
  readonly runs: ReadonlyMap<string, number>
}

/** Makes an estimate of several pieces of work that are done side by side. */
export function estimate(works: readonly Work[]): Estimate {
  const left = works.map(({ lanes, runs }) => ({ lanes, runs: new Map(runs) }))
  const measured = new Map<string, { count: number; ms: number }>()
  return {
    add(kind, ms) {
      const { count, ms: before } = measured.get(kind) ?? { count: 0, ms: 0 }
      measured.set(kind, { count: count + 1, ms: before + ms })
      for (const { runs } of left) if (runs.has(kind)) runs.set(kind, (runs.get(kind) ?? 0) - 1)
    },
    leftMs() {
      const times = left.map(({ lanes, runs }) => {
        const kinds = [...runs].filter(([, count]) => count > 0)
        return kinds.reduce((sum, [kind, count]) => sum + count * meanOf(measured.get(kind)), 0) / lanes
      })
      const longest = Math.max(0, ...times)
      return Number.isNaN(longest) ? undefined : longest
    },
  }
}

function meanOf(measured: { count: number; ms: number } | undefined): number {
  return measured === undefined ? Number.NaN : measured.ms / measured.count
}
