import { ResilientSequelize, type ResilientOptions } from '../../src/index.ts'
import { startProxy, type Proxy } from '../../../postgres-faults/src/proxy/proxy.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { textsIn } from '../notes.ts'

export interface Stage {
  readonly sequelize: ResilientSequelize
  readonly database: TestDatabase
  /** Between the instance and the server. */
  readonly proxy: Proxy
  /** The texts in table `notes`, read by another client. */
  texts(): Promise<string[]>
}

/** Runs work with an instance behind a fault proxy, on a database of its own that has a table `notes` without a key. */
export async function withStage(work: (stage: Stage) => Promise<void>, options: ResilientOptions = {}): Promise<void> {
  await withDatabase(
    async database => {
      const { host, port, user, password } = database.connectionSettings
      await database.query('CREATE TABLE notes (text text)')
      const proxy = await startProxy({ target: { host, port }, certificates: false })
      const address = { host: proxy.host, port: proxy.port, logging: false, pool: { max: 2 } } as const
      const sequelize = new ResilientSequelize(database.name, user, password, { ...address, ...options })
      const texts = () => textsIn(database)
      try {
        await work({ sequelize, database, proxy, texts })
      } finally {
        await sequelize.gracefulShutdown()
        await proxy.stop()
      }
    },
    { empty: true },
  )
}
