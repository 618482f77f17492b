import type { CounterDescription } from '../../../../functions-runtime/src/telemetry/counters.ts'
import type { MetricFamily } from './exposition.ts'

/** One counter of the fleet, for all time. */
export interface CounterRow {
  readonly function: string
  readonly name: string
  readonly label: string
  readonly outcome: string
  readonly count: number
}

/** The fleet's counters as metrics. Counters without a description, such as those of a newer deployment, are omitted. */
export function counterFamilies(rows: readonly CounterRow[], described: readonly CounterDescription[]): MetricFamily[] {
  return described.map(({ name, metric, help, label, outcome }) => ({
    name: metric,
    type: 'counter',
    help,
    samples: rows
      .filter(row => row.name === name)
      .map(row => ({
        labels: {
          function: row.function,
          ...(label === undefined ? {} : { [label]: row.label }),
          ...(outcome === undefined ? {} : { [outcome]: row.outcome }),
        },
        value: row.count,
      })),
  }))
}
