// Text that others wrote: names of events, codes, paths, header values, names in a database. A terminal, a chat or a log that
// shows it as it is obeys it: escape sequences, text that runs backwards, lines that look like ours.

export interface LineOptions {
  /** Longest result, in characters; what is cut off is shown as `…`. */
  readonly maxLength?: number
}

const LONGEST_LINE = 200
// Controls, line ends, blanks other than a space (that of Braille included), what is not shown, and what no Unicode version has assigned.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u
const UNSEEN_OR_BACKSLASH = new RegExp(`${UNSEEN.source}|\\\\`, 'gu')

/**
 * Returns the text as one line of bounded length in which every character can be seen: others are written `\u{…}`, a
 * backslash `\\`, so that two texts never look the same.
 */
export function asLine(text: string, { maxLength = LONGEST_LINE }: LineOptions = {}): string {
  return cut(escaped(text.slice(0, maxLength + 1)), maxLength)
}

/** Returns `asLine` of a text of several lines, line by line. For text of our own that holds text of others. */
export function asLines(text: string, options?: LineOptions): string {
  return text
    .split('\n')
    .map(line => asLine(line, options))
    .join('\n')
}

/** A character as it is written when it must not have its meaning. */
export function escapedCharacter(character: string): string {
  return character === '\\' ? '\\\\' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

/** Returns JSON, as `JSON.stringify` with two blanks, in which every character can be seen. */
export function readableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(new RegExp(UNSEEN, 'gu'), character => (character === '\n' ? '\n' : inUnits(character)))
}

function inUnits(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

function escaped(text: string): string {
  return text.replace(UNSEEN_OR_BACKSLASH, escapedCharacter)
}

// Never within an escape.
function cut(line: string, maxLength: number): string {
  if (line.length <= maxLength) return line
  const parts = line.match(/\\\\|\\u\{[0-9a-f]+\}|[\s\S]/gu) ?? []
  let kept = ''
  for (const part of parts) {
    if (kept.length + part.length > maxLength - 1) break
    kept += part
  }
  return `${kept}…`
}
