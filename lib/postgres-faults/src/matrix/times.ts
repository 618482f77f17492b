/** How often each cell of the matrix runs: `CHAOS_TIMES`, by default once. */
export const CHAOS_TIMES = Math.max(1, Number.parseInt(process.env.CHAOS_TIMES ?? '1', 10) || 1)

// Cells whose fault takes seconds, or a server of its own, need fewer to be believed.
const SLOW_CELL_TIMES = 20

/** How often a cell runs that has these variants: each of them at least once. */
export function timesOf({ variants, slow }: { variants: readonly string[]; slow: boolean }): number {
  return Math.max(variants.length, slow ? Math.min(CHAOS_TIMES, SLOW_CELL_TIMES) : CHAOS_TIMES)
}
