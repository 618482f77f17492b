import { positionAt } from '../source/position.ts'
import { type Environment, findReferences, type Reference, substitute } from '../source/substitution.ts'
import { readYaml } from '../source/yaml-document.ts'
import { type Warning, warningOf } from './warning.ts'

/** Stands in for a value: plain in YAML, and unlike anything that a file holds. */
const MARK = 'x0substituted0x'

/**
 * What substitution does to the text of a valid project file without an error: references in comments, values
 * inserted as text, and values that YAML cuts or rewrites. Names appear in the warnings, values never.
 */
export function substitutionWarnings(text: string, env: Environment, fileName = 'project.yml'): Warning[] {
  const { references } = findReferences(text)
  const actual = valueOf(substitute(text, references, env).text)
  return references.flatMap(reference => {
    const subject = reference.names.join(' ')
    const at = { file: fileName, subject, position: positionAt(text, reference.start) }
    const marked = valueOf(markedText(text, references, reference, env))
    if (!contains(marked, MARK)) return [warningOf('reference-in-comment', at)]
    if (reference.kind === 'dictionary') return []
    const value = env[subject] ?? ''
    return [warningOf(isSame(withValue(marked, value), actual) ? 'text-substitution' : 'changed-value', at)]
  })
}

/** The text with one reference replaced by the mark, and all others by their values. */
function markedText(text: string, references: readonly Reference[], marked: Reference, env: Environment): string {
  const mark = marked.kind === 'dictionary' ? `{ "${MARK}": "" }` : MARK
  const shift = mark.length - (marked.end - marked.start)
  const others = references
    .filter(reference => reference !== marked)
    .map(reference => (reference.start < marked.start ? reference : { ...reference, start: reference.start + shift, end: reference.end + shift }))
  return substitute(text.slice(0, marked.start) + mark + text.slice(marked.end), others, env).text
}

function valueOf(text: string): unknown {
  const document = readYaml(text)
  return document.outcome === 'read' ? document.value : undefined
}

/** Whether a text stands anywhere in a value, keys included; each shared value is looked at once. */
function contains(root: unknown, text: string): boolean {
  const seen = new Set<unknown>()
  function visit(value: unknown): boolean {
    if (typeof value === 'string') return value.includes(text)
    if (typeof value !== 'object' || value === null || seen.has(value)) return false
    seen.add(value)
    return Object.entries(value).some(([key, child]) => key.includes(text) || visit(child))
  }
  return visit(root)
}

function withValue(marked: unknown, value: string): unknown {
  const known = new Map<object, unknown>()
  function visit(node: unknown): unknown {
    if (typeof node === 'string') return node.replaceAll(MARK, () => value)
    if (typeof node !== 'object' || node === null || node instanceof Date) return node
    let copy = known.get(node)
    if (copy === undefined) {
      copy = Array.isArray(node)
        ? node.map(visit)
        : Object.fromEntries(Object.entries(node).map(([key, child]) => [key.replaceAll(MARK, () => value), visit(child)]))
      known.set(node, copy)
    }
    return copy
  }
  return visit(marked)
}

/** Whether a value arrived as it was meant; a number or boolean that is written as the same text counts as the same. */
function isSame(meant: unknown, actual: unknown): boolean {
  const compared = new Map<object, unknown>()
  function visit(one: unknown, other: unknown): boolean {
    if (typeof one !== 'object' || one === null) {
      const isScalar = typeof other === 'number' || typeof other === 'boolean'
      return one === other || (isScalar && one === String(other))
    }
    if (typeof other !== 'object' || other === null) return false
    if (compared.get(one) === other) return true
    compared.set(one, other)
    const keys = Object.keys(one)
    return (
      keys.length === Object.keys(other).length &&
      keys.every(key => Object.hasOwn(other, key) && visit((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]))
    )
  }
  return visit(meant, actual)
}
