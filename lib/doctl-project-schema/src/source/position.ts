/** A place in a text as editors count it: both start at 1, columns in UTF-16 units. */
export interface Position {
  line: number
  column: number
}

/** Turns an offset into line and column; LF, CR and CRLF each end a line. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/)
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
