/** The indexes of those items whose name an earlier one has; what is not a list or has no name is passed over. */
export function repeatedNames(items: unknown): number[] {
  if (!Array.isArray(items)) return []
  const seen = new Set<string>()
  const repeated: number[] = []
  items.forEach((item: unknown, index) => {
    const name = (item as { name?: unknown } | null | undefined)?.name
    if (typeof name !== 'string') return
    if (seen.has(name)) repeated.push(index)
    seen.add(name)
  })
  return repeated
}
