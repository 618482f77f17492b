/** How many connections the pool of one function holds. */
export interface PoolShare {
  readonly max: number
  readonly min: number
}

/**
 * Divides the connections of one process among its functions, which each have a pool. `functions` maps names to the most
 * connections that the function needs; functions without a number share the rest evenly. The sums are `max` and `min`.
 * @throws Error when `max` is lower than the number of functions.
 */
export function sharePool(functions: ReadonlyMap<string, number | undefined>, { max, min }: PoolShare): ReadonlyMap<string, PoolShare> {
  if (max < functions.size) throw new Error(`DB_POOL_MAX is ${max}, but ${functions.size} functions share it: ${[...functions.keys()].join(', ')}`)
  const few = (name: string) => functions.get(name)
  const most = deal(functions, max, { least: 1, atMost: few })
  const atMost = (name: string) => Math.min(most.get(name) ?? 0, few(name) === undefined ? Number.POSITIVE_INFINITY : 1)
  const least = deal(functions, min, { least: 0, atMost })
  return new Map([...functions.keys()].map(name => [name, { max: most.get(name) ?? 1, min: least.get(name) ?? 0 }]))
}

/** Hands out one after the other: first to each its least, then in turns, to those with a limit last. */
function deal(
  functions: ReadonlyMap<string, number | undefined>,
  total: number,
  { least, atMost }: { readonly least: number; readonly atMost: (name: string) => number | undefined },
): ReadonlyMap<string, number> {
  const names = [...functions.keys()]
  const dealt = new Map(names.map(name => [name, least]))
  const isModest = (name: string) => Number(functions.get(name) !== undefined)
  const order = names.toSorted((one, other) => isModest(one) - isModest(other))
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
