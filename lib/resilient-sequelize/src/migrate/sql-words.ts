import { endOfComment } from '../wire/sql-tokens.ts'

/** A piece of SQL text: a keyword or plain name in lower case, a quoted name as it is, a string, or one other character. */
export interface SqlWord {
  readonly kind: 'word' | 'quoted' | 'string' | 'sign'
  readonly text: string
}

const BLANKS = /\s+|--[^\n]*/y
const DOLLAR_STRING = /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$.*?\$\1\$/sy
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y

const ESCAPED_NAME = /U&"((?:[^"]|"")+)"(?:\s*UESCAPE\s*'([^'])')?/iy

/** What PostgreSQL makes of the content of `U&"…"`. */
function unescapeName(name: string, escape: string): string {
  let made = ''
  for (let at = 0; at < name.length; at += 1) {
    const code = name[at] === escape ? /^(?:\+([\da-f]{6})|([\da-f]{4}))/i.exec(name.slice(at + 1, at + 8)) : null
    if (code) {
      // Two halves of a surrogate pair join by themselves.
      const unit = Number.parseInt(code[1] ?? code[2] ?? '', 16)
      made += unit > 0xffff && unit <= 0x10ffff ? String.fromCodePoint(unit) : String.fromCharCode(unit)
      at += code[0].length
      continue
    }
    if (name[at] === escape && name[at + 1] === escape) at += 1
    made += name[at] ?? ''
  }
  return made
}

/** Splits SQL text into statements, and those into words. Comments are left out. */
export function readStatements(text: string): SqlWord[][] {
  const statements: SqlWord[][] = [[]]
  for (let at = 0; at < text.length;) {
    const here = at
    const take = (pattern: RegExp) => {
      pattern.lastIndex = here
      const found = pattern.exec(text)
      if (found) at = pattern.lastIndex
      return found
    }
    const add = (word: SqlWord) => statements.at(-1)?.push(word)
    if (take(BLANKS)) continue
    if (text.startsWith('/*', here)) {
      at = endOfComment(text, here + 2)
      continue
    }
    const end = endOfString(text, here)
    if (end !== undefined || take(DOLLAR_STRING)) {
      at = end ?? at
      add({ kind: 'string', text: text.slice(here, at) })
      continue
    }
    const escaped = take(ESCAPED_NAME)
    if (escaped) {
      const [, name = '', escape = '\\'] = escaped
      add({ kind: 'quoted', text: unescapeName(name.replaceAll('""', '"'), escape) })
      continue
    }
    const endOfName = text[here] === '"' ? endOfQuoted(text, here) : undefined
    if (endOfName !== undefined) {
      at = endOfName
      add({ kind: 'quoted', text: text.slice(here + 1, at - 1).replaceAll('""', '"') })
      continue
    }
    const word = take(WORD)
    if (word) {
      add({ kind: 'word', text: word[0].toLowerCase() })
      continue
    }
    at += 1
    if (text[here] === ';') statements.push([])
    else add({ kind: 'sign', text: text[here] ?? '' })
  }
  return statements.filter(({ length }) => length > 0)
}

function endOfString(text: string, from: number): number | undefined {
  if (text[from] === "'") return endOfQuoted(text, from)
  return /^e'/i.test(text.slice(from, from + 2)) ? endOfQuoted(text, from + 1, { escapes: true }) : undefined
}

/**
 * Where a quoted text ends that begins at `from`; `undefined` when it does not. A doubled quote is part of it. By hand: a
 * pattern with alternatives exhausts the stack at some megabytes of data.
 */
function endOfQuoted(text: string, from: number, { escapes = false } = {}): number | undefined {
  const quote = text[from]
  for (let at = from + 1; at < text.length; at += 1) {
    if (escapes && text[at] === '\\') at += 1
    else if (text[at] === quote && text[at + 1] === quote) at += 1
    else if (text[at] === quote) return at + 1
  }
  return undefined
}

/** PostgreSQL's `NAMEDATALEN - 1`: the longest name, in bytes. */
export const LONGEST_NAME = 63

/** What PostgreSQL makes of a name that is too long: its first bytes, and no part of a character. */
function cutName(name: string): string {
  let cut = name
  while (Buffer.byteLength(cut) > LONGEST_NAME) cut = [...cut].slice(0, -1).join('')
  return cut
}

/** Reads the words of one statement from the left to the right. */
export class WordReader {
  readonly #words: readonly SqlWord[]
  #at = 0

  constructor(words: readonly SqlWord[]) {
    this.#words = words
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length
  }

  /** Steps over these words if all of them come next, and returns whether they did. */
  skip(...texts: readonly string[]): boolean {
    const found = texts.every((text, index) => {
      const word = this.#words[this.#at + index]
      return word !== undefined && word.kind !== 'quoted' && word.kind !== 'string' && word.text === text
    })
    if (found) this.#at += texts.length
    return found
  }

  /** Steps over as many of these words as come next, in any order; returns those that came. */
  skipAny(...texts: readonly string[]): Set<string> {
    const found = new Set<string>()
    for (let next = texts.find(text => this.skip(text)); next !== undefined; next = texts.find(text => this.skip(text))) found.add(next)
    return found
  }

  /** Takes a name; `undefined` when none comes next. */
  name(): string | undefined {
    const word = this.#words[this.#at]
    if (word?.kind !== 'quoted' && word?.kind !== 'word') return undefined
    this.#at += 1
    return cutName(word.text)
  }

  /** Takes a name and the schema before it, if there is one. */
  qualifiedName(): { schema: string | undefined; name: string } | undefined {
    const first = this.name()
    if (first === undefined) return undefined
    if (!this.skip('.')) return { schema: undefined, name: first }
    const second = this.name()
    return second === undefined ? undefined : { schema: first, name: second }
  }

  /** Takes what stands in the parentheses that come next, as the parts between its commas. */
  list(): SqlWord[][] | undefined {
    if (!this.skip('(')) return undefined
    return this.#parts(true)
  }

  /** Takes the next word. */
  next(): SqlWord {
    const word = this.#words[this.#at]
    if (word === undefined) throw new RangeError('the statement has no more words')
    this.#at += 1
    return word
  }

  /** The words that are left. */
  words(): readonly SqlWord[] {
    return this.#words.slice(this.#at)
  }

  /** Takes the rest, as the parts between its commas. */
  rest(): SqlWord[][] {
    return this.#parts(false)
  }

  #parts(closed: boolean): SqlWord[][] {
    const parts: SqlWord[][] = [[]]
    for (let depth = 0; this.#at < this.#words.length; this.#at += 1) {
      const word = this.#words[this.#at] as SqlWord
      const sign = word.kind === 'sign' ? word.text : ''
      if (sign === ')' && depth === 0 && closed) {
        this.#at += 1
        break
      }
      if (sign === '(') depth += 1
      if (sign === ')') depth -= 1
      if (sign === ',' && depth === 0) parts.push([])
      else parts.at(-1)?.push(word)
    }
    return parts
  }
}
