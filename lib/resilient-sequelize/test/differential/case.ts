import type pg from 'pg'
import type * as SequelizeModule from 'sequelize'
import type { DataTypes as AllDataTypes, Options } from 'sequelize'

/** The class with those of its static members that its types leave out. */
export type SequelizeClass = typeof SequelizeModule.Sequelize & Pick<typeof SequelizeModule, 'Model' | 'Transaction' | 'BaseError'>
export type Instance = InstanceType<SequelizeClass>

/** How a subject reaches the server. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** A namespace of continuation-local storage, as `Sequelize.useCLS` takes it. */
export interface ApplicationNamespace {
  get(key: string): unknown
  set(key: string, value: unknown): unknown
  run(body: (context: unknown) => unknown): unknown
  runPromise?<Result>(body: () => Promise<Result>): Promise<Result>
  bind(body: unknown): unknown
}

/** What a case gets beside the class, an instance and the data types. */
export interface Tools {
  /** Where the instance connects to. */
  readonly address: Address
  /** A port on which no server listens. */
  readonly closedPort: number
  /** Another instance for the same database, with more options. The harness closes it. */
  connect(options?: Options): Instance
  /** Runs a statement with plain pg, past the subject, and returns its rows. */
  plain(text: string, values?: unknown[]): Promise<pg.QueryResultRow[]>
  /** A plain pg client of its own, for example to hold a lock. The harness ends it. */
  session(): Promise<pg.Client>
  /** Adds a line to the compared notes: hooks and the like, in the order of their calls. */
  note(text: string, ...values: unknown[]): void
  /** Returns what a promise rejects with, or what a function throws. Fails the case when nothing fails. */
  errorOf(failing: Promise<unknown> | (() => unknown)): Promise<unknown>
  /** Notes every hook that runs on an instance or a model. */
  watchHooks(target: object, names: readonly string[]): void
  /** Runs work with another time zone of the process. */
  inTimeZone<Result>(zone: string, work: () => Promise<Result>): Promise<Result>
  /** A namespace of cls-hooked. */
  clsHooked(): ApplicationNamespace
  /** The same on Node's AsyncLocalStorage. */
  asyncNamespace(): ApplicationNamespace
  /** Resolves when a session of this database waits for a lock. */
  lockAwaited(): Promise<void>
  /** Says loudly that the case cannot run here. */
  skip(reason: string): void
  /** Compares the log without its order: statements sent at once have none. */
  ignoreLogOrder(): void
}

export type CaseBody = (Sequelize: SequelizeClass, sequelize: Instance, DataTypes: typeof AllDataTypes, tools: Tools) => Promise<unknown>

/** Where a case can run, if not everywhere. */
export interface Limits {
  /** `direct`: the case needs a session of its own, which no pooler in transaction mode lends. */
  readonly route?: 'direct'
  /** `sources`: the case needs what the build replaces by a stand-in. */
  readonly build?: 'sources'
  readonly why: string
}

/** One ordinary use of Sequelize. */
export interface Case {
  readonly group: string
  readonly title: string
  readonly run: CaseBody
  readonly only?: Limits
}

/** What one subject made of a case, as comparable text. */
export interface Outcome {
  readonly text: string
  /** The case itself failed: it proves nothing then. */
  readonly broken?: string
  /** Why the case did nothing here. */
  readonly skipped?: string
}
