import type { Sequelize } from 'sequelize'
import type { ExecuteOptions as UnitOptions, Executor } from '../../../resilient-sequelize/src/operation/executor.ts'
import type { SafeExecuteOptions } from '../../../resilient-sequelize/src/operation/safe-execute.ts'
import type { Work as Unit } from '../../../resilient-sequelize/src/operation/work.ts'
import type { ApplicationModels } from './models.ts'
import type { Statement } from './sql.ts'
import type { Counters } from '../telemetry/counters.ts'

/** What a unit of work of a function gets: the application's models beside it, since Sequelize is loaded on the first use. */
export interface Work extends Omit<Unit, 'query'> {
  /** As a unit's; a statement of ours is sent with the schema that our tables are in. */
  readonly query: <Row extends object>(text: string | Statement, bind?: Parameters<Unit['query']>[1]) => Promise<Row[]>
  readonly models: ApplicationModels
  readonly sequelize: Sequelize
}

export interface ExecuteOptions extends Omit<UnitOptions, 'wasCommitted'> {
  /**
   * Looks for a row that the work itself wrote, such as a claim or an idempotency key: proves a commit whose answer
   * was lost when the server was restarted meanwhile.
   */
  wasCommitted?: (work: Work) => Promise<boolean>
}

/** The Sequelize instance of a function and its models, once they are loaded. */
export interface Loaded {
  readonly sequelize: Sequelize
  readonly models: ApplicationModels | undefined
}

/** Runs work on the database of a function: each `execute` is one unit, applied once or not at all. */
export class DatabaseService {
  readonly counters: Counters
  readonly #executor: Executor
  readonly #loaded: () => Loaded
  readonly #schema: string

  /** `loaded` is called only while a unit of work runs, when Sequelize has been loaded. */
  constructor({ executor, counters, schema, loaded }: { executor: Executor; counters: Counters; schema: string; loaded: () => Loaded }) {
    this.#executor = executor
    this.counters = counters
    this.#loaded = loaded
    this.#schema = schema
  }

  /** As `execute` of ResilientSequelize. */
  async execute<Result>(
    operationName: string,
    work: (work: Work) => Promise<Result>,
    { wasCommitted, ...options }: ExecuteOptions = {},
  ): Promise<Result> {
    const proof = wasCommitted === undefined ? {} : { wasCommitted: (unit: Unit) => wasCommitted(this.#extend(unit)) }
    return this.#executor.execute(operationName, unit => work(this.#extend(unit)), { ...options, ...proof })
  }

  /** Whether an operation ended with this error because of this database or the way to it, and not because of its work. */
  hasReported(error: unknown): boolean {
    return this.#executor.hasReported(error)
  }

  /** Whether the call is part of a unit of work of this database. */
  get isInUnit(): boolean {
    return this.#executor.isInUnit
  }

  /** As `safeExecute` of ResilientSequelize. */
  async safeExecute<Result, Fallback>(work: () => Promise<Result>, options: SafeExecuteOptions<Fallback>): Promise<Result | Fallback> {
    return this.#executor.safeExecute(work, options)
  }

  // The unit makes its transaction object when it is asked for it.
  #extend(unit: Unit): Work {
    const loaded = this.#loaded()
    const { afterCommit, signal } = unit
    return {
      query: (text, bind) => unit.query(typeof text === 'string' ? text : text(this.#schema), bind),
      afterCommit,
      signal,
      sequelize: loaded.sequelize,
      get models() {
        if (loaded.models === undefined)
          throw new TypeError('There are no `models` here: use the models of the application, or prepare the database of the function with `models`.')
        return loaded.models
      },
      get transaction() {
        return unit.transaction
      },
    }
  }
}
