const stale = new WeakSet<object>()
const SYNTAX_OR_ACCESS = /^42/

/**
 * Takes note of an error of a statement that the server had parsed before. If the server rejects its text now, a table has
 * changed since, such as the type of a column: the same text parsed again may be right.
 */
export function noteStale(error: object): void {
  const { code, position } = error as { code?: unknown; position?: unknown }
  // Only the analysis of the text reports a position in it; what fails as the statement runs has none.
  if (typeof code === 'string' && SYNTAX_OR_ACCESS.test(code) && position !== undefined) stale.add(error)
}

export function isStale(error: object): boolean {
  return stale.has(error)
}
