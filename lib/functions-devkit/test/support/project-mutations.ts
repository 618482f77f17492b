type Path = readonly (string | number)[]
type Json = unknown

/** One change of a project's data, and what it was done to. */
export interface Mutation {
  kind: 'delete' | 'rename' | 'retype' | 'misplace' | 'duplicate'
  /** The place that was changed, in the data as it was. */
  path: Path
  /** What was written in its place: a value, a key, or where it went. */
  detail: string
  data: Json
  /** The places that a problem may name: the one that was changed, and the one that something was moved to. */
  places: Path[]
}

/** What stands where another type belongs. The falsy ones are those that the deployer takes for an absent key. */
const WRONG_VALUES: readonly Json[] = [null, false, 0, '', true, 7, 'text', [], {}, ['text'], { text: 1 }]

/** Every change of one key or one item of a project's data: gone, renamed, of another type, somewhere else, there twice. */
export function mutationsOf(data: Json): Mutation[] {
  return placesOf(data).flatMap(path => [
    ...deletions(data, path),
    ...(typeof path.at(-1) === 'string' ? [...renames(data, path), ...misplacements(data, path)] : duplications(data, path)),
    ...retypes(data, path),
  ])
}

/** The value at a path. */
export function valueAt(data: Json, path: Path): Json {
  return path.reduce<Json>((value, segment) => (value as Record<string | number, Json>)[segment], data)
}

function placesOf(data: Json, path: Path = []): Path[] {
  if (typeof data !== 'object' || data === null) return []
  const keys = Array.isArray(data) ? Array.from(data.keys()) : Object.keys(data)
  // The variables of an environment are all alike: one stands for the others.
  const few = path.at(-1) === 'environment' ? keys.slice(0, 1) : keys
  return few.flatMap(key => {
    const place = [...path, key]
    return [place, ...placesOf((data as Record<string | number, Json>)[key], place)]
  })
}

function deletions(data: Json, path: Path): Mutation[] {
  return [{ kind: 'delete', path, detail: '', data: edited(data, path, () => []), places: [path] }]
}

function renames(data: Json, path: Path): Mutation[] {
  const key = String(path.at(-1))
  const names = [`${key}x`, key.toUpperCase() === key ? key.toLowerCase() : key.toUpperCase(), `${key} `]
  return names.flatMap(name =>
    // A key that is not known passes the deployer when its value is falsy.
    [valueAt(data, path), false].map((value): Mutation => {
      const renamed = [...path.slice(0, -1), name]
      const detail = `${JSON.stringify(name)}${value === false ? ' false' : ''}`
      return { kind: 'rename', path, detail, data: edited(data, path, () => [[name, value]]), places: [renamed, path] }
    }),
  )
}

function retypes(data: Json, path: Path): Mutation[] {
  const current = JSON.stringify(valueAt(data, path))
  return WRONG_VALUES.filter(value => JSON.stringify(value) !== current).map(value => ({
    kind: 'retype',
    path,
    detail: JSON.stringify(value),
    data: edited(data, path, key => [[key, value]]),
    places: [path],
  }))
}

/** Moves a key to each other map of the same branch: those around it, and those beside it. */
function misplacements(data: Json, path: Path): Mutation[] {
  const key = String(path.at(-1))
  const parent = path.slice(0, -1)
  const around = parent.map((_, index) => path.slice(0, index))
  const beside = Object.keys(valueAt(data, parent) as object).map(name => [...parent, name])
  return [...around, ...beside].flatMap((target): Mutation[] => {
    const map = valueAt(data, target)
    if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.hasOwn(map, key) || target.join() === path.join()) return []
    const moved = structuredClone(data)
    ;(valueAt(moved, target) as Record<string, Json>)[key] = valueAt(data, path)
    const place = [...target, key]
    return [{ kind: 'misplace', path, detail: place.join('.'), data: edited(moved, path, () => []), places: [path, place] }]
  })
}

function duplications(data: Json, path: Path): Mutation[] {
  const copy = structuredClone(data)
  const list = valueAt(copy, path.slice(0, -1)) as Json[]
  list.push(structuredClone(valueAt(data, path)))
  return [{ kind: 'duplicate', path, detail: '', data: copy, places: [[...path.slice(0, -1), list.length - 1]] }]
}

/** A copy in which one entry is replaced by others, in its place; an item of a list keeps its index as its key. */
function edited(data: Json, path: Path, replace: (key: string) => [string, Json][]): Json {
  const copy = structuredClone(data)
  const parent = path.slice(0, -1)
  const container = valueAt(copy, parent)
  const last = path.at(-1) ?? ''
  if (Array.isArray(container)) {
    container.splice(Number(last), 1, ...replace(String(last)).map(([, value]) => value))
    return copy
  }
  const entries = Object.entries(container as object).flatMap(([key, value]: [string, Json]) => (key === last ? replace(key) : [[key, value]]))
  for (const key of Object.keys(container as object)) delete (container as Record<string, Json>)[key]
  for (const [key, value] of entries as [string, Json][]) (container as Record<string, Json>)[key] = value
  return copy
}
