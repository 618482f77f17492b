import type { Transaction } from 'sequelize'
import type { GuardedClient } from '../wire/client.ts'

/** What units of work need of the Sequelize instance that they run on. */
export interface WorkHost {
  /** Runs one statement over a connection; returns its rows. */
  run<Row extends object>(connection: GuardedClient, text: string, bind: Readonly<Record<string, unknown>>): Promise<Row[]>
  /** A transaction object that tells Sequelize's calls to use `connection`; it begins and ends nothing by itself. */
  enlist(connection: GuardedClient): Transaction
}
