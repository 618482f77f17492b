import type { Cold, Fault, Paused, Trips, Warm } from './measure.ts'
import type { Spread } from './numbers.ts'

/** All that was measured, by the names of the ways. */
export interface Results {
  readonly machine: string
  readonly versions: string
  readonly cold: readonly { readonly delayMs: number; readonly ways: Readonly<Record<string, Cold>> }[]
  readonly warm: readonly { readonly delayMs: number; readonly ways: Readonly<Record<string, Warm>> }[]
  readonly trips: Readonly<Record<string, Trips>>
  readonly paused: Readonly<Record<string, Readonly<Record<Fault, Paused>>>>
  readonly memory: { readonly after: readonly number[]; readonly ways: Readonly<Record<string, readonly number[]>> }
  readonly loading: Readonly<Record<string, Spread>>
}

/** What all others are compared with. */
const BARE = 'pg.Pool'
const STOCK = 'stock Sequelize'

/** The results as tables of Markdown. */
export function describe({ machine, versions, cold, warm, trips, paused, memory, loading }: Results): string {
  const parts = [
    `${machine}\n${versions}\nMedians, and in brackets the tenth and the ninetieth per cent; × is against ${BARE}, and against ${STOCK}.`,
  ]
  for (const { delayMs, ways } of cold) {
    parts.push(
      table(
        [`Cold, ${delayMs} ms each way`, 'loading', 'first query', '×', 'process to answer', '×', 'connections', 'trips'],
        Object.entries(ways).map(([name, one]) => [
          name,
          spread(one.loadMs),
          spread(one.firstMs),
          ratios(one.firstMs, ways, way => way.firstMs),
          spread(one.answerMs),
          ratios(one.answerMs, ways, way => way.answerMs),
          one.connections,
          one.trips,
        ]),
      ),
    )
  }
  for (const { delayMs, ways } of warm) {
    parts.push(
      table(
        [`Warm read, ${delayMs} ms each way`, 'call', '×', 'CPU'],
        Object.entries(ways).map(([name, one]) => [name, spread(one.ms), ratios(one.ms, ways, way => way.ms), ms(one.cpuMs)]),
      ),
    )
  }
  parts.push(
    table(
      ['Trips', 'read', 'write in a transaction', 'read after 5 s idle', 'write after 5 s idle'],
      Object.entries(trips).map(([name, { read, write, idleRead, idleWrite }]) => [name, read, write, idleRead, idleWrite]),
    ),
    table(
      ['After a pause the connection was', ...(['ended', 'reset', 'silent'] as const).flatMap(fault => [fault, 'errors', 'trips'])],
      Object.entries(paused).map(([name, of]) => [
        name,
        ...(['ended', 'reset', 'silent'] as const).flatMap(fault => [
          spread(of[fault].ms),
          `${of[fault].errors} of ${of[fault].calls}`,
          of[fault].trips,
        ]),
      ]),
    ),
    table(
      ['Resident memory of 256 MB after calls', ...memory.after.map(String)],
      Object.entries(memory.ways).map(([name, of]) => [name, ...of.map(mb => `${mb.toFixed(0)} MB`)]),
    ),
    table(
      ['Loading', 'time'],
      Object.entries(loading).map(([name, one]) => [name, spread(one)]),
    ),
  )
  return `${parts.join('\n\n')}\n`
}

/** A table of Markdown in columns: what is no name to the right. */
function table(heads: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const rows = [heads, ...lines].map(row => row.map(String))
  const widths = heads.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const write = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [write(rows[0] ?? []), rule, ...rows.slice(1).map(write)].join('\n')
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

function spread({ median, from, to }: Spread): string {
  const digits = median < 10 ? 2 : 0
  return `${ms(median)} (${from.toFixed(digits)}–${to.toFixed(digits)})`
}

function ratios<Way>(of: Spread, ways: Readonly<Record<string, Way>>, pick: (way: Way) => Spread): string {
  const against = (name: string) => (ways[name] === undefined ? '–' : (of.median / pick(ways[name]).median).toFixed(2))
  return `${against(BARE)}, ${against(STOCK)}`
}
