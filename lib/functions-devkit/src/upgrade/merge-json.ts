import { isDeepStrictEqual } from 'node:util'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }
type Found = { readonly conflicts: string[]; readonly absent: string[] }

export interface MergedJson {
  readonly text: string
  /** Entries that both sides changed, each with both values; the text has ours. */
  readonly conflicts: readonly string[]
  /** Entries that ours has no more and the new version changed; the text has none. */
  readonly absent: readonly string[]
}

/**
 * Merges JSON files entry by entry, at any depth; lists of texts and numbers as sets. Returns undefined unless all three are
 * objects. The order is that of `ours`; what is new follows what stands before it in `theirs`.
 */
export function mergeJson(base: string | undefined, ours: string, theirs: string): MergedJson | undefined {
  const [before, mine, next] = [base ?? '{}', ours, theirs].map(parseObject)
  if (before === undefined || mine === undefined || next === undefined) return undefined
  const found = { conflicts: [], absent: [] }
  const merged = mergeObjects(before, mine, next, [], found)
  const [, indent = 2] = /^\{\n([ \t]+)"/.exec(ours) ?? []
  return { text: `${JSON.stringify(merged, null, indent)}${ours.endsWith('\n') ? '\n' : ''}`, ...found }
}

/** Returns whether two texts are the same JSON, whatever their layout. */
export function isSameJson(one: string, other: string): boolean {
  const [first, second] = [parseObject(one), parseObject(other)]
  return first !== undefined && second !== undefined && isDeepStrictEqual(first, second)
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function mergeObjects(base: JsonObject, ours: JsonObject, theirs: JsonObject, path: readonly string[], found: Found): JsonObject {
  const merged = new Map<string, Json>()
  for (const key of insertNew(Object.keys(ours), Object.keys(theirs))) {
    const value = mergeValues(valueOf(base, key), valueOf(ours, key), valueOf(theirs, key), [...path, key], found)
    if (value !== undefined) merged.set(key, value)
  }
  return Object.fromEntries(merged)
}

function mergeValues(
  base: Json | undefined,
  ours: Json | undefined,
  theirs: Json | undefined,
  path: readonly string[],
  found: Found,
): Json | undefined {
  if (isDeepStrictEqual(ours, theirs) || isDeepStrictEqual(theirs, base)) return ours
  if (isDeepStrictEqual(ours, base)) return theirs
  if (isObject(ours) && isObject(theirs)) return mergeObjects(isObject(base) ? base : {}, ours, theirs, path, found)
  if (isSet(ours) && isSet(theirs)) return mergeSets(isSet(base) ? base : [], ours, theirs)
  if (ours === undefined) {
    found.absent.push(path.join('.'))
    return undefined
  }
  found.conflicts.push(`${path.join('.')}: ${inWords('yours', ours)}, ${inWords('the new version', theirs)}`)
  return ours
}

function mergeSets(base: readonly Json[], ours: readonly Json[], theirs: readonly Json[]): readonly Json[] {
  const isWanted = (value: Json) => (base.includes(value) ? ours.includes(value) && theirs.includes(value) : true)
  return insertNew(ours, theirs).filter(isWanted)
}

/** `ours`, and each further value of `theirs` behind the one that it follows there. */
function insertNew<Value>(ours: readonly Value[], theirs: readonly Value[]): Value[] {
  const result = [...ours]
  theirs.forEach((value, index) => {
    if (result.includes(value)) return
    const before = theirs.slice(0, index).findLast(one => result.includes(one))
    result.splice(before === undefined ? 0 : result.indexOf(before) + 1, 0, value)
  })
  return result
}

function valueOf(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSet(value: Json | undefined): value is readonly (string | number)[] {
  return Array.isArray(value) && value.every(entry => typeof entry === 'string' || typeof entry === 'number')
}

function inWords(whose: string, value: Json | undefined): string {
  return `${whose} ${value === undefined ? 'has none' : JSON.stringify(value)}`
}
