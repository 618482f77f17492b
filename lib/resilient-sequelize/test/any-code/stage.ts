import { ResilientSequelize, type ResilientOptions } from '../../src/index.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { textsIn } from '../notes.ts'

export interface Stage {
  readonly sequelize: ResilientSequelize
  readonly database: TestDatabase
  /** The texts in table `notes`, read by another client. */
  texts(): Promise<string[]>
}

/** Runs work with an instance on a database of its own, in which there is a table `notes`. */
export async function withStage(work: (stage: Stage) => Promise<void>, options: ResilientOptions = {}): Promise<void> {
  await withDatabase(
    async database => {
      const sequelize = new ResilientSequelize(database.url, { logging: false, pool: { max: 2 }, ...options })
      const texts = () => textsIn(database)
      try {
        await sequelize.query('CREATE TABLE notes (text text PRIMARY KEY, parent text REFERENCES notes DEFERRABLE INITIALLY DEFERRED)')
        await work({ sequelize, database, texts })
      } finally {
        await sequelize.gracefulShutdown()
      }
    },
    { empty: true },
  )
}

/** The SQL of an error that the server raises. */
export const raise = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '${code}'; END $$`
