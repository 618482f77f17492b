/** The variables that a text may refer to. An empty value counts as unset, as it does for the deployer. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One `${NAME}`, `${|NAME}`, `$(A B)` or `${<file}` in a text; `end` is the offset behind its closing bracket. */
export interface Reference {
  start: number
  end: number
  /** Lines are those of a variable whose line breaks stay what they are. */
  kind: 'variable' | 'lines' | 'dictionary' | 'file'
  names: string[]
}

export interface References {
  references: Reference[]
  /** Where a `${` or `$(` stands that is never closed. */
  unclosedAt?: number
}

/** What a line of a .env file can set. A JSON one and the process can hold other names, which nobody gives by chance. */
const SETTABLE_NAME = /^[\w.-]+$/

/** A stretch of the result that came out of a reference of the original text. */
interface Replacement {
  reference: Reference
  start: number
  end: number
}

export interface Substituted {
  text: string
  /** Every name that is unset or empty, once for each place that asks for it. */
  unresolved: { name: string; offset: number }[]
  replacements: Replacement[]
}

/**
 * Finds what the deployer would substitute: anywhere in the text, comments and quoted strings included,
 * the first closing bracket ends the reference, and white space inside braces makes it a dictionary.
 */
export function findReferences(text: string): References {
  const references: Reference[] = []
  const opening = /\$[{(]/g
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const start = match.index
    const closing = text.indexOf(match[0] === '${' ? '}' : ')', start + 2)
    if (closing < 0) return { references, unclosedAt: start }
    references.push(readReference(match[0], text.slice(start + 2, closing).trim(), start, closing + 1))
    opening.lastIndex = closing + 1
  }
  return { references }
}

/** Whether a name can be one of a variable at all: `A:-a`, which a shell would understand, and no name at all are none. */
export function isSettableName(name: string): boolean {
  return SETTABLE_NAME.test(name)
}

/** Replaces every reference by text, as the deployer does before it reads any YAML; what is inserted is not looked at again. */
export function substitute(text: string, references: readonly Reference[], env: Environment): Substituted {
  const unresolved: Substituted['unresolved'] = []
  const replacements: Replacement[] = []
  let result = ''
  let done = 0
  for (const reference of references) {
    const found: [string, string][] = []
    for (const name of reference.names) {
      const value = Object.hasOwn(env, name) ? env[name] : undefined
      if (value) found.push([name, value])
      else unresolved.push({ name, offset: reference.start })
    }
    result += text.slice(done, reference.start)
    const start = result.length
    result += insertedText(reference.kind, found)
    replacements.push({ reference, start, end: result.length })
    done = reference.end
  }
  return { text: result + text.slice(done), unresolved, replacements }
}

/** A line break becomes a backslash and an n, which YAML takes for a line break again in double quotes. */
function insertedText(kind: Reference['kind'], found: readonly [string, string][]): string {
  if (kind === 'dictionary') return JSON.stringify(Object.fromEntries(found))
  const [, value = ''] = found[0] ?? []
  return kind === 'lines' ? value : value.replaceAll('\n', String.raw`\n`)
}

/** The offset in the original text that an offset in the substituted one belongs to; inside a value it is where the reference begins. */
export function originalOffset({ replacements }: Substituted, offset: number): number {
  let shift = 0
  for (const { reference, start, end } of replacements) {
    if (offset < start) break
    if (offset < end) return reference.start
    shift = reference.end - end
  }
  return offset + shift
}

/** The reference whose value covers an offset of the substituted text, if any. */
export function referenceAt({ replacements }: Substituted, offset: number): Reference | undefined {
  return replacements.find(({ start, end }) => start <= offset && offset < end)?.reference
}

function readReference(opening: string, inner: string, start: number, end: number): Reference {
  if (opening === '$(' || /\s/.test(inner)) return { start, end, kind: 'dictionary', names: inner.split(/\s+/) }
  if (inner.startsWith('<')) return { start, end, kind: 'file', names: [] }
  if (inner.startsWith('|')) return { start, end, kind: 'lines', names: [inner.slice(1).trim()] }
  return { start, end, kind: 'variable', names: [inner] }
}
