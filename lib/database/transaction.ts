import type { QueryTypes, Sequelize, Transaction } from 'sequelize'
import { DeadlineExceededError } from '../errors.ts'
import type { Deadline } from '../resilience/deadline.ts'
import { TransactionRolledBackError } from './errors/errors.ts'
import type { Connection, Generation } from './generation.ts'
import type { Lease } from './manager.ts'
import type { Models } from './models/index.ts'

/** What a unit of work gets. Everything here belongs to one generation and one transaction: keep none of it. */
export interface Work {
  /** Must be handed to every sequelize call; a call without it would run outside the transaction. */
  readonly transaction: Transaction
  readonly models: Models
  readonly sequelize: Sequelize
  /** Runs one statement in the transaction, with `$name` for each value of `bind`; gives its rows. */
  readonly query: <Row extends object>(text: string, bind?: Readonly<Record<string, unknown>>) => Promise<Row[]>
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
}

export type TransactionMode = 'read' | 'write'

// sequelize's QueryTypes.SELECT: the type that makes it hand over the rows. Named here so that nothing loads sequelize.
const SELECT = 'SELECT' as QueryTypes.SELECT

const BEGIN: Readonly<Record<TransactionMode, string>> = { read: 'START TRANSACTION READ ONLY', write: 'START TRANSACTION' }

/**
 * Runs `work` in one transaction on a leased connection, and gives the connection back: to the pool when it is clean,
 * destroyed when anything about it is in doubt.
 * @throws TransactionRolledBackError when the server answers COMMIT with ROLLBACK, else what `work` threw.
 */
export async function runTransaction<Result>(
  lease: Lease,
  { mode, deadline }: { mode: TransactionMode; deadline: Deadline },
  work: (work: Work) => Promise<Result>,
): Promise<Result> {
  const { connection, generation } = lease
  const transaction = generation.enlist(connection)
  const statement = (text: string) => {
    boundStatements(connection, deadline)
    return connection.query(text)
  }
  try {
    await statement(BEGIN[mode])
    const result = await work(workOn(generation, transaction, deadline))
    // The caller has been answered by then: what is not committed yet must not be.
    deadline.throwIfPassed()
    const { command } = await statement('COMMIT')
    if (command !== 'COMMIT') throw new TransactionRolledBackError()
    generation.release(connection)
    return result
  } catch (error) {
    await rollBack(generation, connection, statement)
    throw error
  } finally {
    ;(transaction as unknown as { finished: string }).finished = 'commit'
  }
}

// The first error is the one to report: a failing ROLLBACK only costs the connection.
async function rollBack(generation: Generation, connection: Connection, statement: (text: string) => Promise<unknown>): Promise<void> {
  try {
    if (connection.getTransactionStatus() !== 'I') await statement('ROLLBACK')
    generation.release(connection)
  } catch {
    generation.destroy(connection)
  }
}

// sequelize's own begin and commit warn on the console, hide a rolled back COMMIT and run hooks when it failed; its
// transaction object serves only to tell its calls which connection to take.
function workOn({ models, sequelize }: Generation, transaction: Transaction, deadline: Deadline): Work {
  return {
    transaction,
    models,
    sequelize,
    signal: deadline.signal,
    query: (text, bind = {}) => sequelize.query(text, { transaction, type: SELECT, bind }),
  }
}

/** No statement waits longer than the invocation has: pg reads this for each query. */
function boundStatements(connection: Connection, deadline: Deadline): void {
  const remainingMs = deadline.remainingMs()
  if (remainingMs <= 0) throw new DeadlineExceededError()
  ;(connection as unknown as { connectionParameters: { query_timeout: number } }).connectionParameters.query_timeout = Math.ceil(remainingMs)
}
