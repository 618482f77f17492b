import { asLine } from '../../../../functions-runtime/src/foreign-text.ts'

// Characters of one text in a line. A stack is longer, and its frames are texts of their own.
const LONGEST_TEXT = 2_000

/** Returns a line of JSON with names and texts that a terminal shows and does not obey; what is no JSON, as text. */
export function readableLine(line: string): string {
  try {
    return `${JSON.stringify(readable(JSON.parse(line)))}\n`
  } catch {
    return `${shown(line.trimEnd())}\n`
  }
}

/** Returns what stands in front of a line's fields. A format with placeholders would fill in those of the message, too. */
export function headOf(line: Readonly<Record<string, unknown>>): string {
  const { function: name, event, msg } = line
  return [name, event].map(one => (typeof one === 'string' ? one : '')).join(' ') + (typeof msg === 'string' && msg !== '' ? `: ${msg}` : '')
}

function readable(value: unknown): unknown {
  if (typeof value === 'string') return shown(value)
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [shown(name), readable(inner)]))
}

function shown(text: string): string {
  return asLine(text, { maxLength: LONGEST_TEXT })
}
