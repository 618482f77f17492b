/** One line of a table, by the heads of its columns. */
export type Line = Readonly<Record<string, string | number>>

/** Text in columns: numbers to the right, words to the left. All lines have the columns of the first. */
export function plainTable(lines: readonly Line[]): string {
  const heads = Object.keys(lines[0] ?? {})
  const cells = lines.map(line => heads.map(head => line[head] ?? ''))
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map(row => String(row[column]).length)))
  const numeric = heads.map((_, column) => cells.every(row => typeof row[column] === 'number' || row[column] === '-'))
  const write = (row: readonly (string | number)[]) =>
    row
      .map((cell, column) => (numeric[column] ? String(cell).padStart(widths[column] ?? 0) : String(cell).padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [write(heads), ...cells.map(write)].join('\n')
}
