/** Runs pieces of work, so many at a time, in the order in which they came. */
export type Lanes = <Result>(work: () => Promise<Result>) => Promise<Result>

/** Makes `count` lanes. Work that mostly waits shares a processor with others that wait. */
export function openLanes(count: number): Lanes {
  const queue: (() => void)[] = []
  let free = count
  return async work => {
    if (free > 0) free -= 1
    else await new Promise<void>(resolve => queue.push(resolve))
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else free += 1
    }
  }
}
