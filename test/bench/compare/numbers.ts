/** The value below which this share of all lies, from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** What is shown of many measurements: the median, and between which values four fifths of them lie. */
export interface Spread {
  readonly median: number
  readonly from: number
  readonly to: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), from: quantile(values, 0.1), to: quantile(values, 0.9) }
}
