import { sqlTokens } from './sql-tokens.ts'

/** A statement as the server takes it, and the values that it names, in the order of their numbers. */
export interface Numbered {
  readonly text: string
  readonly names: readonly string[]
}

/**
 * Replaces each `$name` of a name in `declared` by the number of its value, except within strings, quoted names, dollar
 * quotes and comments.
 * @throws TypeError for a name or a number that is not declared: the server would call it a syntax error, or take the value
 * of another name.
 */
export function numberPlaceholders(text: string, declared: ReadonlySet<string>): Numbered {
  const numbers = new Map<string, number>()
  const parts: string[] = []
  let done = 0
  for (const { kind, text: token, start, end } of sqlTokens(text)) {
    if (kind !== 'placeholder') continue
    const name = token.slice(1)
    if (!declared.has(name)) throw new TypeError(`The statement has "${token}", and no value of this name was given.`)
    if (!numbers.has(name)) numbers.set(name, numbers.size + 1)
    parts.push(text.slice(done, start), `$${numbers.get(name)}`)
    done = end
  }
  return { text: parts.join('') + text.slice(done), names: [...numbers.keys()] }
}
