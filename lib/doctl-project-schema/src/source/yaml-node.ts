/** What the YAML reader built from one stretch of the text. */
export interface YamlNode {
  start: number
  end: number
  value: unknown
  children: YamlNode[]
}

export type YamlPath = readonly (string | number)[]

interface Entry {
  start: number
  node: YamlNode
}

/** Tells where the keys and items of a YAML document stand. */
export interface YamlOutline {
  /** The offset of the key or item at a path, or of the nearest one around it; nothing when not even that is certain. */
  locate(path: YamlPath): number | undefined
}

/**
 * Makes an outline of a document from its nodes. The reader reports nodes without saying which are keys, so
 * an entry counts only when its key and its value are those of the finished map: a guess is never an answer.
 */
export function outlineOf(root: YamlNode | undefined, text: string): YamlOutline {
  const definitions = new Map<object, YamlNode>()
  if (root) collectDefinitions(root, definitions)
  const known = new Map<YamlNode, ReadonlyMap<string | number, Entry>>()

  function entriesOf(node: YamlNode): ReadonlyMap<string | number, Entry> {
    const owner = ownerOf(node, definitions)
    let entries = known.get(owner)
    if (!entries) {
      known.set(owner, new Map())
      entries = Array.isArray(owner.value) ? itemsOf(owner, owner.value) : pairsOf(owner, text, entriesOf)
      known.set(owner, entries)
    }
    return entries
  }

  return {
    locate(path) {
      let found: Entry | undefined
      for (const segment of path) {
        const node: YamlNode | undefined = found ? found.node : root
        const next = node && entriesOf(node).get(segment)
        if (!next) break
        found = next
      }
      return found?.start
    },
  }
}

function itemsOf(node: YamlNode, items: readonly unknown[]): Map<number, Entry> {
  const entries = new Map<number, Entry>()
  if (node.children.length !== items.length) return entries
  node.children.forEach((child, index) => {
    if (Object.is(child.value, items[index])) entries.set(index, { start: child.start, node: child })
  })
  return entries
}

function pairsOf(node: YamlNode, text: string, entriesOf: (node: YamlNode) => ReadonlyMap<string | number, Entry>): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  if (!isObject(node.value)) return entries
  const map = node.value as Record<string, unknown>
  const merged: YamlNode[] = []
  for (let index = 0; index < node.children.length; index += 1) {
    const key = node.children[index]
    const value = node.children[index + 1]
    if (!key || !value || !isFollowedByColon(text, key.end)) continue
    index += 1
    const name = String(key.value)
    if (name === '<<' && !Object.hasOwn(map, name)) merged.push(value)
    else if (Object.hasOwn(map, name) && Object.is(map[name], value.value)) entries.set(name, { start: key.start, node: value })
  }
  for (const source of merged.flatMap(node => (Array.isArray(node.value) ? [...entriesOf(node).values()].map(entry => entry.node) : [node]))) {
    for (const [name, entry] of entriesOf(source)) {
      if (typeof name === 'string' && !entries.has(name) && Object.is(map[name], entry.node.value)) entries.set(name, entry)
    }
  }
  return entries
}

/** The node that lists the entries: the reader wraps flow collections once more, and an alias has none of its own. */
function ownerOf(node: YamlNode, definitions: ReadonlyMap<object, YamlNode>): YamlNode {
  return (isObject(node.value) ? definitions.get(node.value) : undefined) ?? node
}

function collectDefinitions(root: YamlNode, definitions: Map<object, YamlNode>): void {
  const open = [root]
  for (let node = open.pop(); node; node = open.pop()) {
    const { value, children } = node
    const isWrapper = children.length === 1 && children[0]?.value === value
    if (isObject(value) && children.length > 0 && !isWrapper) definitions.set(value, node)
    open.push(...children)
  }
}

function isFollowedByColon(text: string, offset: number): boolean {
  return /^ *:/.test(text.slice(offset, offset + 200))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
