import { asLine } from '../../../functions-runtime/src/foreign-text.ts'

// Characters of a cell. Some of them others have written.
const LONGEST_CELL = 120

/** What a cell shows; nothing and an empty text are a dash. */
export type Cell = string | number | boolean | Date | null | undefined

/** Returns rows as aligned columns under their names. The order of the columns is that of the first row's properties. */
export function asTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const names = Object.keys(rows[0] ?? {})
  const lines = [names, ...rows.map(row => names.map(name => shown(row[name])))]
  const widths = names.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  return lines
    .map(
      line =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Returns one line for each property, its name first. */
export function asFields(fields: Readonly<Record<string, Cell>>): string {
  const width = Math.max(...Object.keys(fields).map(name => name.length))
  return Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}\n`)
    .join('')
}

function shown(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-'
  return cell instanceof Date ? cell.toISOString() : asLine(String(cell), { maxLength: LONGEST_CELL })
}
