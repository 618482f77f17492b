import type { Transaction } from 'sequelize'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { Bind } from '../wire/statement.ts'

/** What units of work need of the Sequelize instance that they run on. */
export interface WorkHost {
  /** Runs one statement over a connection; returns its rows. */
  run<Row extends object>(connection: GuardedClient, text: string, bind: Bind): Promise<Row[]>
  /** Sequelize's error for an error of the server, by class. */
  format(connection: GuardedClient, error: unknown): Error
  /** A transaction object that tells Sequelize's calls to use `connection`; it begins and ends nothing by itself. */
  enlist(connection: GuardedClient): Transaction
}
