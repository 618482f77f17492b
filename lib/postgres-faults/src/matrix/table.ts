import { type Tally } from './tally.ts'

/** One line of the printed matrix. */
export interface Line {
  row: string
  kind: string
  tally: Tally
}

const HEADINGS = [
  'row',
  'kind',
  'calls',
  'ok',
  'lost',
  'gone',
  'twice',
  'hung',
  'connections',
  'backends left',
  'slowest ms',
  'coded errors',
] as const

/** The matrix as text: a line per cell, below it what was found and the cells' own figures. */
export function formatTable(lines: readonly Line[]): string {
  const cells = [...lines]
    .sort(byRow)
    .map(({ row, kind, tally }) => [
      row,
      kind,
      ...[
        tally.calls,
        tally.ok,
        tally.lost,
        tally.gone,
        tally.twice,
        tally.hung,
        tally.connections,
        tally.backendsLeft,
        Math.round(tally.slowestMs),
      ].map(String),
      [...tally.errors].map(([code, count]) => `${code} × ${count}`).join(', ') || '–',
    ])
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...cells.map(cell => cell[column]?.length ?? 0)))
  const format = (cell: readonly string[]) =>
    cell
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const below = lines.flatMap(({ row, kind, tally }) =>
    [...[...tally.figures].map(summary), ...tally.findings].map(text => `${row}, ${kind}: ${text}`),
  )
  return [format(HEADINGS), ...cells.map(format), ...below].join('\n')
}

function byRow(one: Line, other: Line): number {
  return Number.parseInt(one.row, 10) - Number.parseInt(other.row, 10) || one.kind.localeCompare(other.kind)
}

function summary([name, values]: [string, number[]]): string {
  const sorted = values.map(Math.round).sort((one, other) => one - other)
  return `${name}: median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms`
}
