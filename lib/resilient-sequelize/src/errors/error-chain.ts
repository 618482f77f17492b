/** Where libraries keep the error that they put words around: Sequelize in the first two, `AggregateError` in the last. */
export const LIBRARY_WRAPPINGS = ['original', 'parent', 'errors']
/** Where application code keeps it, too. */
const WRAPPINGS = [...LIBRARY_WRAPPINGS, 'cause']
// Deeper than anybody wraps errors on purpose.
const LONGEST_CHAIN = 100

/** The error and everything that it was made from, innermost first, each once. Never throws. */
export function errorChain(error: unknown, fields: readonly string[] = WRAPPINGS, seen = new Set<unknown>()): object[] {
  if (typeof error !== 'object' || error === null || seen.has(error) || seen.size === LONGEST_CHAIN) return []
  seen.add(error)
  const inner = fields.flatMap(name => readField(error, name) ?? [])
  return [...inner.flatMap(each => errorChain(each, fields, seen)), error]
}

/** A field of an error of unknown origin; `undefined` when reading it throws. */
export function readField(error: object, name: string): unknown {
  try {
    return (error as Readonly<Record<string, unknown>>)[name]
  } catch {
    return undefined
  }
}
