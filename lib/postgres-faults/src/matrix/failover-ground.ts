import { initialiseTemplate, startFailoverPair, type FailoverPair, type PairOptions } from '../failover-pair.ts'
import { createChaosDatabase, type ChaosDatabase } from './chaos-database.ts'
import { type Ground } from './ground.ts'
import { openLanes } from './lanes.ts'

const pairs = new WeakMap<object, FailoverPair>()

/**
 * Lends each repetition a primary and a standby of its own, which nothing is left of afterwards: a failover cannot be taken
 * back. The database is seen through their address, also by the repetition itself.
 */
export function failoverGround({ servers, ...options }: { servers: number } & PairOptions): Ground {
  const lanes = openLanes(servers)
  let initialised: ReturnType<typeof initialiseTemplate> | undefined

  return {
    async open() {
      const { template } = await (initialised ??= initialiseTemplate())
      return {
        borrow: work =>
          lanes(async () => {
            const pair = await startFailoverPair(template, options)
            try {
              const database = await createChaosDatabase(pair.address)
              pairs.set(database, pair)
              await pair.replayed()
              try {
                return await work(database)
              } finally {
                await database.drop().catch(() => undefined)
              }
            } finally {
              await pair.stop()
            }
          }),
        close: async () => undefined,
      }
    },
    async stop() {
      await (await initialised)?.remove()
      initialised = undefined
    },
  }
}

/** The servers behind a database of such a ground. */
export function pairOf(database: ChaosDatabase): FailoverPair {
  const pair = pairs.get(database)
  if (pair === undefined) throw new Error('This database has no standby')
  return pair
}
