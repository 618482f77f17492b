import type { QueryResult } from 'pg'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { NestedOperationError } from '../errors/errors.ts'
import type { GuardedClient } from '../wire/client.ts'
import type { QueryCallback, Statement } from '../wire/pg-internals.ts'
import { canBePreceded } from '../wire/preceded-query.ts'
import type { OperationTools } from './context.ts'
import { runOperation } from './operation.ts'

export interface StandAloneOptions {
  readonly tools: OperationTools
  /** Without a deadline: how long a connection is waited for, retries included, in ms. */
  readonly acquireMs: number
  /** Texts that the server refused in a read-only transaction. */
  readonly writingReads: Set<string>
}

const NAME = 'sequelize.query'
// Row locks are refused in a read-only transaction.
const LOCKING = /\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b/i
const READ_ONLY_TRANSACTION = '25006'
// A text that is made up for each call must not be kept for ever.
const MOST_TEXTS = 500

/**
 * What Sequelize takes for the connection of a call outside of any transaction: each statement that it sends is one
 * operation, on whichever connection is alive.
 */
export class StandAloneConnection {
  /** Sequelize shows it in its log: `default` outside of a transaction. */
  uuid: undefined
  readonly #options: StandAloneOptions

  constructor(options: StandAloneOptions) {
    this.#options = options
  }

  query(text: string, ...rest: [QueryCallback] | [readonly unknown[], QueryCallback]): void {
    const callback = rest.at(-1) as QueryCallback
    const values = rest.length === 2 ? rest[0] : undefined
    runStatement({ text, values }, this.#options).then(
      result => callback(null, result),
      (error: Error) => callback(error),
    )
  }
}

/**
 * Runs one statement that commits by itself. A read runs in a read-only transaction of its own, in one flight, so that it
 * may be sent again when its connection is lost; where the server refuses that, because the statement writes after all,
 * it is sent as it is. What writes is sent again only when it is certain that it was not applied.
 * @throws what the server or the driver said; CodedError for what the database or the way to it did.
 */
async function runStatement(statement: Statement, { tools, acquireMs, writingReads }: StandAloneOptions): Promise<QueryResult> {
  const given = currentDeadline()
  const deadline = given ?? openDeadline({ remainingMs: acquireMs, reserveMs: 0 })
  const run = (mode: 'read' | 'autocommit') =>
    runOperation({ name: NAME, mode, deadline, signal: deadline.signal, patient: given === undefined, keepsParsed: false }, tools, (_, connection) =>
      ask(connection, statement),
    )
  try {
    const reads = canBePreceded(statement) && !LOCKING.test(statement.text) && !writingReads.has(statement.text)
    if (!reads) return await run('autocommit')
    try {
      return await run('read')
    } catch (error) {
      if (!(error instanceof NestedOperationError) || codeOf(error.cause) !== READ_ONLY_TRANSACTION) throw error
      if (writingReads.size >= MOST_TEXTS) writingReads.clear()
      writingReads.add(statement.text)
      return await run('autocommit')
    }
  } finally {
    if (given === undefined) deadline.clear()
  }
}

function ask(connection: GuardedClient, statement: Statement): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    connection.ask(statement, (error, result) => (error ? reject(error) : resolve(result as QueryResult)))
  })
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}
