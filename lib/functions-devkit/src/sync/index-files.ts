/** Placeholder until tables are merged. */
export function indexFiles(_application: string): ReadonlyMap<string, string> {
  return new Map()
}
