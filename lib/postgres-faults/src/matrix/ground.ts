import { inject } from 'vitest'
import { createChaosDatabase, type ChaosDatabase } from './chaos-database.ts'

/** Where repetitions take place. */
export interface Ground {
  /** Prepares what the repetitions of one cell share. */
  open(): Promise<Field>
  /** Ends what all cells shared. */
  stop?(): Promise<void>
}

/** Lends a database to each repetition of one cell. */
export interface Field {
  borrow<Result>(work: (database: ChaosDatabase) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** The server of the test run: each repetition has a database of its own, for rows that change its settings. */
export const databaseGround: Ground = {
  async open() {
    const { host, port, user, password } = inject('postgres')
    return {
      async borrow(work) {
        const database = await createChaosDatabase({ host, port, user, password })
        return work(database).finally(() => database.drop())
      },
      close: async () => undefined,
    }
  },
}

/** The server of the test run: each cell has a database, its repetitions share it. */
export const sharedGround: Ground = {
  async open() {
    const { host, port, user, password } = inject('postgres')
    const database = await createChaosDatabase({ host, port, user, password })
    return { borrow: work => work(database), close: () => database.drop() }
  },
}
