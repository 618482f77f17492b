import { AsyncLocalStorage } from 'node:async_hooks'
import type { Sequelize, Transaction } from 'sequelize'
import { ApplicationError } from '../../../errors.ts'
import type { GuardedClient } from '../wire/client.ts'
import type { Generation } from '../pool/generation.ts'
import type { Models } from '../../../app/models/index.ts'

/** What a unit of work gets. Everything here belongs to one generation and one transaction: keep none of it. */
export interface Work {
  /** What sequelize calls within the work use by themselves; `transaction: null` is refused, since the work holds the connection. */
  readonly transaction: Transaction
  readonly models: Models
  readonly sequelize: Sequelize
  /** Runs one statement in the transaction, with `$name` for each value of `bind`; gives its rows. */
  readonly query: <Row extends object>(text: string, bind?: Readonly<Record<string, unknown>>) => Promise<Row[]>
  /** Has `callback` called once COMMIT is confirmed, and only then; its failure changes nothing. */
  readonly afterCommit: (callback: () => unknown) => void
  /** Aborts when the time is over, or when the caller gives up. */
  readonly signal: AbortSignal
}

/** How work may touch the database: with a transaction, each statement for itself, or all on one snapshot. */
export type WorkMode = 'write' | 'read' | 'snapshot'

/** From the weakest to the strongest. */
export const isolationLevels = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const
export type IsolationLevel = (typeof isolationLevels)[number]

/** How far the transactions of a mode are kept apart from others. */
export function isolationOf(mode: WorkMode, asked: IsolationLevel = 'READ COMMITTED'): IsolationLevel {
  switch (mode) {
    case 'write':
      return asked
    case 'snapshot':
      return 'REPEATABLE READ'
    case 'read':
      return 'READ COMMITTED'
    default:
      return mode satisfies never
  }
}

export function hasIsolation(given: IsolationLevel, asked: IsolationLevel): boolean {
  return isolationLevels.indexOf(given) >= isolationLevels.indexOf(asked)
}

/** The work that is running, as what it calls finds it. */
export interface RunningWork {
  readonly work: ClosableWork
  readonly mode: WorkMode
  readonly isolation: IsolationLevel
  readonly generation: Generation
  readonly connection: GuardedClient
  /** The work around it, when this one is a savepoint's. */
  readonly parent?: RunningWork | undefined
  /** Savepoints' works within it. */
  readonly children: RunningWork[]
  /** Calls that come after its end are on their own when it is done, and refused when it failed. */
  state: 'running' | 'done' | 'failed'
}

const running = new AsyncLocalStorage<RunningWork>()

export function runWork<Result>(work: RunningWork, body: () => Promise<Result>): Promise<Result> {
  return running.run(work, body)
}

/**
 * The unit of work that this call is part of, if any.
 * @throws NestedOperationError when that has failed: it was taken back or is tried again, and what is left of it must not
 * go on by itself.
 */
export function currentWork(): RunningWork | undefined {
  let innermost: RunningWork | undefined
  let last: RunningWork | undefined
  for (let work = running.getStore(); work !== undefined; work = work.parent) {
    if (work.state === 'failed') throw new NestedOperationError('The unit of work that this belongs to has failed.')
    if (work.state === 'running') innermost ??= work
    last = work
  }
  return last?.state === 'running' ? innermost : undefined
}

/** Writing within a read, or asking for a connection of one's own within work: a mistake in the code, told at once. */
export class NestedOperationError extends ApplicationError {
  override readonly name = 'NestedOperationError'
  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    super(message, { code: 'nested-operation', status: 500, cause })
  }
}

/** The work of a unit, and how it is closed. */
export interface ClosableWork extends Work {
  /** Has its statements refused from now on, and those of sequelize that still come over its transaction. */
  end(): void
}

/**
 * The work's view of one connection. sequelize's own begin and commit warn on the console, hide a rolled back COMMIT and
 * run hooks when it failed; its transaction object serves only to tell its calls which connection to take, and is made
 * for the first of them.
 */
export function workOn(
  generation: Generation,
  connection: GuardedClient,
  { signal, afterCommit }: Pick<Work, 'signal' | 'afterCommit'>,
): ClosableWork {
  const { models, sequelize } = generation
  let ended = false
  let enlisted: Transaction | undefined
  return {
    models,
    sequelize,
    signal,
    afterCommit,
    get transaction() {
      return (enlisted ??= enlist())
    },
    async query(text, bind = {}) {
      if (ended) throw new NestedOperationError('The unit of work that this belongs to has ended: you can no longer use it.')
      return generation.statements.run(connection, text, bind)
    },
    end() {
      ended = true
      if (enlisted) (enlisted as unknown as { finished: string }).finished = 'commit'
    },
  }

  function enlist(): Transaction {
    const transaction = generation.enlist(connection)
    if (ended) (transaction as unknown as { finished: string }).finished = 'commit'
    // sequelize keeps its own for a commit that it never makes here, and would call it when that failed.
    transaction.afterCommit = callback => {
      if (typeof callback !== 'function') throw new TypeError('afterCommit takes a function')
      afterCommit(() => callback(transaction))
    }
    return transaction
  }
}

/** Closes a work and those within. */
export function endWork(running: RunningWork, state: 'done' | 'failed'): void {
  running.state = state
  for (const child of running.children) endWork(child, state)
  running.work.end()
}
