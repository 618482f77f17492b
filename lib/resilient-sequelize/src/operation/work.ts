import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'sequelize'
import { NestedOperationError } from '../errors/errors.ts'
import type { WorkHost } from '../pool/work-host.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { Bind } from '../wire/statement.ts'
import { transactionInternals } from '../wire/sequelize-internals.ts'

/** What a unit of work gets. Everything here belongs to one transaction: keep none of it. */
export interface Work {
  /** What Sequelize's calls within the work use by themselves; `transaction: null` is refused, since the work holds the connection. */
  readonly transaction: Transaction
  /**
   * Runs one statement in the transaction; returns its rows. `$name` stands for each value of an object, `$1` for those of
   * an array; without values the text is sent as it is.
   */
  readonly query: <Row extends object>(text: string, bind?: Bind) => Promise<Row[]>
  /** Calls `callback` once COMMIT is confirmed, and only then; its failure changes nothing. */
  readonly afterCommit: (callback: () => unknown) => void
  /** Aborts when the time is over, or when the caller gives up. */
  readonly signal: AbortSignal
}

/**
 * How work may touch the database: with a transaction, each statement for itself and read only, all on one snapshot, or as
 * a single statement that commits by itself.
 */
export type WorkMode = 'write' | 'read' | 'snapshot' | 'autocommit'

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
    case 'autocommit':
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
  /** The pool manager that it belongs to: work on one database is none of another's. */
  readonly owner: object
  readonly host: WorkHost
  readonly connection: GuardedClient
  /** How the unit's transaction ends: shared by all works within it. */
  readonly commit: { durable: boolean }
  /** The work around it, when this one is a savepoint's. */
  readonly parent?: RunningWork | undefined
  /** Savepoints' works within it. */
  readonly children: RunningWork[]
  /** Calls that come after its end are on their own when it is done, and refused when it failed. */
  state: 'running' | 'done' | 'failed'
}

interface Frame {
  readonly work: RunningWork
  /** The frame of the work, of this owner or another, in which this one was begun. */
  readonly outer: Frame | undefined
}

const frames = new AsyncLocalStorage<Frame>()

export function runWork<Result>(work: RunningWork, body: () => Promise<Result>): Promise<Result> {
  return frames.run({ work, outer: frames.getStore() }, body)
}

/**
 * The unit of work of this owner that this call is part of, if any.
 * @throws NestedOperationError when that has failed: it was rolled back or is tried again, and what is left of it must not
 * go on by itself.
 */
export function currentWork(owner: object): RunningWork | undefined {
  let frame = frames.getStore()
  while (frame !== undefined && frame.work.owner !== owner) frame = frame.outer
  let innermost: RunningWork | undefined
  let last: RunningWork | undefined
  for (let work = frame?.work; work !== undefined; work = work.parent) {
    if (work.state === 'failed') throw new NestedOperationError('The unit of work that this belongs to has failed.')
    if (work.state === 'running') innermost ??= work
    last = work
  }
  return last?.state === 'running' ? innermost : undefined
}

/** The work of a unit, and how it is closed. */
export interface ClosableWork extends Work {
  /** Refuses its statements from now on, and those of Sequelize that still come over its transaction. */
  end(): void
}

/**
 * The work's view of one connection. Sequelize's own begin and commit warn on the console, hide a rolled back COMMIT and
 * run hooks when it failed; its transaction object serves only to tell its calls which connection to take, and is made
 * for the first of them.
 */
export function workOn(host: WorkHost, connection: GuardedClient, { signal, afterCommit }: Pick<Work, 'signal' | 'afterCommit'>): ClosableWork {
  let ended = false
  let enlisted: Transaction | undefined
  return {
    signal,
    afterCommit,
    get transaction() {
      return (enlisted ??= enlist())
    },
    async query(text, bind = {}) {
      if (ended) throw new NestedOperationError('The unit of work that this belongs to has ended: you can no longer use it.')
      return host.run(connection, text, bind)
    },
    end() {
      ended = true
      if (enlisted) transactionInternals(enlisted).finished = 'commit'
    },
  }

  function enlist(): Transaction {
    const transaction = host.enlist(connection)
    if (ended) transactionInternals(transaction).finished = 'commit'
    // Sequelize keeps its own for a commit that it never makes here, and would call it when that failed.
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
