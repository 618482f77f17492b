import yaml from 'js-yaml'
import { type RefusalCode } from '../refusals.ts'
import { outlineOf, type YamlNode, type YamlOutline } from './yaml-node.ts'

/** Deeper than any project file goes, and shallow enough that no later step runs out of stack. */
const DEEPEST_NESTING = 100

export type YamlDocument =
  { outcome: 'read'; value: unknown; outline: YamlOutline } | { outcome: 'refused'; code: RefusalCode; detail?: string; offset?: number }

/** Reads YAML as the deployer does: js-yaml 3 with its safe schema. Offsets are those of the given text. */
export function readYaml(text: string): YamlDocument {
  const byteOrderMark = text.startsWith('\uFEFF') ? 1 : 0
  const tree = recordNodes(byteOrderMark)
  let value: unknown
  try {
    value = yaml.safeLoad(text, { listener: tree.listener })
  } catch (error) {
    return refusalOf(error, text, byteOrderMark)
  }
  return shapeProblem(value) ?? { outcome: 'read', value, outline: outlineOf(tree.root(), text) }
}

function recordNodes(shift: number) {
  const open: YamlNode[] = []
  let root: YamlNode | undefined
  const listener: NonNullable<yaml.LoadOptions['listener']> = (event, state) => {
    if (event === 'open') {
      open.push({ start: state.position + shift, end: state.position + shift, value: undefined, children: [] })
      return
    }
    const node = open.pop()
    if (!node) return
    node.end = state.position + shift
    node.value = (state as unknown as { result: unknown }).result
    const parent = open.at(-1)
    if (parent) parent.children.push(node)
    else root ??= node
  }
  return { listener, root: () => root }
}

function refusalOf(error: unknown, text: string, shift: number): YamlDocument {
  if (!(error instanceof yaml.YAMLException)) return { outcome: 'refused', code: 'yaml-nesting' }
  const { reason, mark } = error as unknown as { reason: string; mark?: { position: number } }
  const offset = mark ? { offset: mark.position + shift } : {}
  if (reason.startsWith('expected a single document')) return { outcome: 'refused', code: 'several-documents', ...secondDocument(text) }
  if (reason === 'duplicated mapping key') return { outcome: 'refused', code: 'duplicate-key', ...offset }
  // What the reader quotes from the text may be the value of a variable: only its own words are kept.
  return { outcome: 'refused', code: 'yaml-syntax', detail: reason.split(/["<:]|!</)[0]?.trim() ?? '', ...offset }
}

/** Where the second document begins: at the first mark behind anything but comments and directives. */
function secondDocument(text: string): { offset?: number } {
  let begun = false
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    const isMark = /^---(\s|$)/.test(line)
    if (isMark && begun) return { offset: index }
    begun ||= isMark || !/^\s*(#|$)|^%|^\uFEFF?$/.test(line)
  }
  return {}
}

/** What YAML can express and no project file may contain: loops, endless nesting, a key that replaces a prototype. */
function shapeProblem(root: unknown): YamlDocument | undefined {
  const above = new Set<object>()
  // Each shared value is measured once: aliases of aliases would take for ever otherwise.
  const heights = new Map<object, number>()
  function heightOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0
    const known = heights.get(value)
    if (known !== undefined) return known
    if (above.has(value)) throw new ShapeProblem('yaml-cycle')
    if (Object.hasOwn(value, '__proto__')) throw new ShapeProblem('unsafe-key')
    if (above.size >= DEEPEST_NESTING) throw new ShapeProblem('yaml-nesting')
    above.add(value)
    const height = 1 + Object.values(value).reduce<number>((highest, child) => Math.max(highest, heightOf(child)), 0)
    above.delete(value)
    if (height > DEEPEST_NESTING) throw new ShapeProblem('yaml-nesting')
    heights.set(value, height)
    return height
  }
  try {
    heightOf(root)
    return undefined
  } catch (error) {
    if (error instanceof ShapeProblem) return { outcome: 'refused', code: error.code }
    throw error
  }
}

class ShapeProblem extends Error {
  readonly code: RefusalCode

  constructor(code: RefusalCode) {
    super(code)
    this.code = code
  }
}
