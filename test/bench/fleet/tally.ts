import { type CallResult, type Ending } from './fleet.ts'

/** How many calls ended in which way. */
export function countEndings(results: readonly CallResult[]): Record<Ending, number> {
  const counts: Record<Ending, number> = { served: 0, refused: 0, late: 0, hung: 0, crashed: 0 }
  for (const { ending } of results) counts[ending] += 1
  return counts
}

/** The errors among them with their numbers, the most frequent first, as one line. */
export function describeErrors(results: readonly CallResult[]): string {
  const counts = new Map<string, number>()
  for (const { ending, status, code } of results) {
    if (ending === 'served') continue
    const error = status === 0 ? `${code}` : `${status} ${code ?? ''}`.trim()
    counts.set(error, (counts.get(error) ?? 0) + 1)
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([error, count]) => `${error} (${count})`)
    .join(', ')
}

/** The most calls that so many slots can finish before the deadline, of `asked` that all begin at once. */
export function mostServed({ asked, slots, deadlineMs, callMs }: { asked: number; slots: number; deadlineMs: number; callMs: number }): number {
  return Math.min(asked, slots * Math.floor(deadlineMs / callMs))
}
