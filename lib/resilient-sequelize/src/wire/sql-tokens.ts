/** A part of a statement outside of strings, quoted names, dollar quotes and comments. */
export interface SqlToken {
  readonly kind: 'word' | 'placeholder' | 'semicolon'
  readonly text: string
  readonly start: number
  readonly end: number
}

// What begins a string, a quoted name, a comment or a dollar quote; a placeholder; a word, to which a dollar sign within
// belongs (PostgreSQL's manual, "Lexical Structure").
const TOKEN = /'|"|--|\/\*|\$(?:[a-zA-Z_\x80-\uffff][\w\x80-\uffff]*)?\$|\$[\w\x80-\uffff]+|[a-zA-Z_\x80-\uffff][\w$\x80-\uffff]*|;/g
const COMMENT_EDGE = /\/\*|\*\//g
const STRING_EDGE = /['\\]/g
const LINE_END = /[\n\r]/g
/** Matches a text without a semicolon, but for one at its end: certainly one statement. */
const NO_SEPARATOR = /^[^;]*(?:;\s*)?$/
/** A statement that ends a transaction has one of these words. */
const MAY_END = /\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE)\b/i

/** The words, placeholders and semicolons of a text, in order. */
export function* sqlTokens(text: string): Generator<SqlToken> {
  const tokens = new RegExp(TOKEN)
  let before: SqlToken | undefined
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token] = found
    const { index: start } = found
    const end = tokens.lastIndex
    if (token === "'") tokens.lastIndex = endOfString(text, end, before?.end === start && /^e$/i.test(before.text))
    else if (token === '"') tokens.lastIndex = endOf(text, '"', end)
    else if (token === '--') tokens.lastIndex = endOfLine(text, end)
    else if (token === '/*') tokens.lastIndex = endOfComment(text, end)
    else if (token.length > 1 && token.startsWith('$') && token.endsWith('$')) tokens.lastIndex = endOf(text, token, end)
    else {
      before = { kind: token === ';' ? 'semicolon' : token.startsWith('$') ? 'placeholder' : 'word', text: token, start, end }
      yield before
    }
  }
}

/** The first word of a text, in upper case, past comments and parentheses; empty when there is none. */
export function firstWord(text: string): string {
  for (const { kind, text: word } of sqlTokens(text)) return kind === 'word' ? word.toUpperCase() : ''
  return ''
}

/** Whether a text is certainly one statement: a semicolon in a value or a comment separates nothing. */
export function isOneStatement(text: string): boolean {
  if (NO_SEPARATOR.test(text)) return true
  // With `standard_conforming_strings` off a backslash escapes a quote.
  if (text.includes('\\')) return false
  for (const { kind, end } of sqlTokens(text)) if (kind === 'semicolon') return text.slice(end).trim() === ''
  return true
}

/** Whether a text has a statement that ends the transaction, and not only goes back to a savepoint. */
export function endsTransaction(text: string): boolean {
  if (!MAY_END.test(text)) return false
  let words: string[] = []
  for (const { kind, text: word } of sqlTokens(text)) {
    if (kind === 'word' && words.length < 3) words.push(word.toUpperCase())
    if (kind !== 'semicolon') continue
    if (isEnd(words)) return true
    words = []
  }
  return isEnd(words)
}

function isEnd([first, second, third]: readonly string[]): boolean {
  if (first === 'ROLLBACK' || first === 'ABORT') return second !== 'TO' && !((second === 'WORK' || second === 'TRANSACTION') && third === 'TO')
  return first === 'COMMIT' || first === 'END' || (first === 'PREPARE' && second === 'TRANSACTION')
}

// Quotes within are doubled, which reads as two strings side by side.
function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found + mark.length
}

function endOfString(text: string, from: number, escapes: boolean): number {
  if (!escapes) return endOf(text, "'", from)
  const edges = new RegExp(STRING_EDGE)
  edges.lastIndex = from
  for (let edge = edges.exec(text); edge !== null; edge = edges.exec(text)) {
    if (edge[0] === '\\') edges.lastIndex += 1
    else if (text[edges.lastIndex] === "'") edges.lastIndex += 1
    else return edges.lastIndex
  }
  return text.length
}

function endOfLine(text: string, from: number): number {
  const ends = new RegExp(LINE_END)
  ends.lastIndex = from
  return ends.exec(text) === null ? text.length : ends.lastIndex
}

/** Where a comment ends whose content begins at `from`. Comments nest. */
export function endOfComment(text: string, from: number): number {
  const edges = new RegExp(COMMENT_EDGE)
  edges.lastIndex = from
  let depth = 1
  while (depth > 0) {
    const edge = edges.exec(text)
    if (edge === null) return text.length
    depth += edge[0] === '/*' ? 1 : -1
  }
  return edges.lastIndex
}
