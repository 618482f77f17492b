/** How many connections the pool of one function holds. */
export interface PoolShare {
  readonly max: number
  readonly min: number
}

// Health checks and maintenance need few, and must have theirs also when requests have taken all of the others.
const FEW: Readonly<Record<string, number>> = { 'api/health': 2, 'ops/maintenance': 2 }

/**
 * Divides the connections of one process among its functions, each of which has a pool of its own: few for those that
 * need few, the rest evenly. The sums are `max` and `min`.
 * @throws Error when `max` leaves one without any.
 */
export function sharePool(functions: readonly string[], { max, min }: PoolShare): ReadonlyMap<string, PoolShare> {
  if (max < functions.length) throw new Error(`DB_POOL_MAX is ${max}, but ${functions.length} functions share it: ${functions.join(', ')}`)
  const most = deal(functions, max, { least: 1, atMost: name => FEW[name] })
  const least = deal(functions, min, { least: 0, atMost: name => Math.min(most.get(name) ?? 0, name in FEW ? 1 : Number.POSITIVE_INFINITY) })
  return new Map(functions.map(name => [name, { max: most.get(name) ?? 1, min: least.get(name) ?? 0 }]))
}

/** Hands out one after the other: first to each its least, then in turns, to those with a limit last. */
function deal(
  names: readonly string[],
  total: number,
  { least, atMost }: { readonly least: number; readonly atMost: (name: string) => number | undefined },
): ReadonlyMap<string, number> {
  const dealt = new Map(names.map(name => [name, least]))
  const order = names.toSorted((one, other) => Number(one in FEW) - Number(other in FEW))
  let left = total - least * names.length
  while (left > 0) {
    const before = left
    for (const name of order) {
      const has = dealt.get(name) ?? 0
      if (left === 0 || has >= (atMost(name) ?? Number.POSITIVE_INFINITY)) continue
      dealt.set(name, has + 1)
      left -= 1
    }
    if (left === before) break
  }
  return dealt
}
