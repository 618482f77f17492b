import type { Model, ModelStatic, Options, Sequelize, Transaction, TransactionOptions } from 'sequelize'
import type { GuardedClient } from './guarded-client.ts'
import { missingMembers, type Member } from './members.ts'

/** sequelize-pool's pool, as far as it is used. */
export interface SequelizePool {
  readonly size: number
  readonly available: number
  readonly using: number
  readonly waiting: number
  readonly minSize: number
  acquire(): Promise<GuardedClient>
  release(client: GuardedClient): void
  destroy(client: GuardedClient): Promise<void>
  destroyAllNow(): Promise<void>
  /** The timer that looks for idle connections; there once one has been given back. */
  readonly _removeIdleTimer?: NodeJS.Timeout
}

export interface PoolFactory {
  readonly name: string
  create(): Promise<GuardedClient>
  destroy(client: GuardedClient): Promise<void>
  validate(client: GuardedClient): boolean
  readonly max: number
  /** Read anew at each use: lowering it keeps a pool from filling itself up again. */
  min: number
  readonly acquireTimeoutMillis: number
  readonly idleTimeoutMillis: number
  readonly reapIntervalMillis: number
  readonly maxUses: number | undefined
}

export type PoolClass = new (factory: PoolFactory) => SequelizePool

/** What Sequelize connects with: its options at construction, which `beforeConnect` hooks may change for each connection. */
export interface ConnectionConfig {
  readonly dialectOptions?: Readonly<Record<string, unknown>>
  readonly pool: { readonly maxUses?: number }
}

/** Type ids by the name of a type. */
export type TypeIds = Record<string, { oid: number; arrayOid?: number; rangeOid?: number; arrayRangeOid?: number }>

export interface AcquireOptions {
  readonly type?: string
  readonly useMaster?: boolean
  readonly uuid?: string
}

export interface ConnectionManager {
  pool: SequelizePool
  readonly config: ConnectionConfig
  nameOidMap: TypeIds
  readonly oidParserMap: Map<number, unknown>
  getConnection(options?: AcquireOptions): Promise<unknown>
  releaseConnection(connection: unknown): void
  destroyConnection(connection: unknown): Promise<void>
  close(): Promise<void>
  initPools(): void
  refreshTypeParser(dataTypes: object): void
  _refreshDynamicOIDs(connection?: unknown): Promise<void>
  _connect(config: ConnectionConfig): Promise<GuardedClient>
  _disconnect(connection: GuardedClient): Promise<void>
  _validate(connection: GuardedClient): boolean
}

/** Formats what the server answered as Sequelize does. */
export interface DialectQuery {
  new (
    connection: unknown,
    sequelize: Sequelize,
    options: object,
  ): {
    formatError(error: unknown, stack: string | undefined): Error
  }
}

/** The statements that end a transaction. */
export interface TransactionStatements {
  commitTransaction(transaction: Transaction, options: object): Promise<unknown>
  rollbackTransaction(transaction: Transaction, options: object): Promise<unknown>
}

interface SequelizeInternals {
  readonly connectionManager: ConnectionManager
  readonly dialect: { readonly DataTypes: object; readonly Query: DialectQuery }
  readonly modelManager: { readonly models: readonly ModelStatic<Model>[] }
  readonly options: Options & { databaseVersion: string | number; timezone: string }
  hasHook(name: string): boolean
  runHooks(name: string, ...given: unknown[]): Promise<void>
  getQueryInterface(): TransactionStatements
}

export function internalsOf(sequelize: Sequelize): SequelizeInternals {
  return sequelize as unknown as SequelizeInternals
}

/** Connects and logs in, with Sequelize's hooks around it. */
export function connectWith(sequelize: Sequelize, config: ConnectionConfig): Promise<GuardedClient> {
  return internalsOf(sequelize).connectionManager._connect(config)
}

/** Ends a connection politely, with Sequelize's hooks around it. */
export function disconnect(sequelize: Sequelize, client: GuardedClient): Promise<void> {
  return internalsOf(sequelize).connectionManager._disconnect(client)
}

/** Whether Sequelize, or the application's `pool.validate`, takes the connection for usable. */
export function isUsable(sequelize: Sequelize, client: GuardedClient): boolean {
  return internalsOf(sequelize).connectionManager._validate(client)
}

/** Makes `isUsable` false for the connection. */
export function markUnusable(client: GuardedClient): void {
  ;(client as { _invalid?: boolean })._invalid = true
}

/** Reads the catalogue of types over anything that has a `query`. */
export function readTypes(sequelize: Sequelize, connection: { query(text: string): Promise<unknown> }): Promise<void> {
  return internalsOf(sequelize).connectionManager._refreshDynamicOIDs(connection)
}

/** Lets the process end although the pool's timer looks for idle connections. */
export function releaseIdleTimer(pool: SequelizePool): void {
  pool._removeIdleTimer?.unref()
}

/** Sequelize's transaction with what its types hide. */
export interface TransactionInternals {
  id: string
  name: string | undefined
  connection: GuardedClient | undefined
  finished: 'commit' | 'rollback' | undefined
  parent: Transaction | null | undefined
  options: { isolationLevel?: string | null; readOnly?: boolean }
  readonly sequelize: Sequelize
  readonly _afterCommitHooks: ((transaction: Transaction) => unknown)[]
  prepareEnvironment(useCLS?: boolean): Promise<void>
  begin(): Promise<void>
  setDeferrable(): Promise<void>
  cleanup(): void
  forceCleanup(): void | Promise<void>
}

export interface TransactionClass {
  new (sequelize: Sequelize, options?: TransactionOptions): Transaction
  readonly prototype: Transaction
}

export function transactionInternals(transaction: Transaction): TransactionInternals {
  return transaction as unknown as TransactionInternals
}

/** Methods that send what begins a transaction; call them on the transaction. */
export function beginMethodsOf(Base: TransactionClass): Pick<TransactionInternals, 'begin' | 'setDeferrable'> {
  return transactionInternals(Base.prototype)
}

/** The instance that the transaction was made for. */
export function ownerOf(transaction: Transaction): Sequelize | undefined {
  return (transaction as unknown as Partial<TransactionInternals>).sequelize
}

/** Takes the callbacks of `afterCommit` out of the transaction, so that each runs once. */
export function takeAfterCommitHooks(transaction: Transaction): TransactionInternals['_afterCommitHooks'] {
  return transactionInternals(transaction)._afterCommitHooks.splice(0)
}

/** The static member of the class in which `Sequelize.useCLS` keeps the application's namespace. */
export const CLS = '_cls'

// sequelize-pool is a dependency of Sequelize, not of ours: its error is known by the name of its class alone.
export function isAcquireTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.constructor.name === 'TimeoutError')
}

/** The texts of errors that Sequelize and its pool raise without a code; see the error table. */
export const SEQUELIZE_TEXTS = {
  managerClosed: /ConnectionManager\.getConnection was called after/,
  poolDraining: /pool is draining/,
  connectingEnded: /^Connection timed out$/,
  acquireTimeout: 'SequelizeConnectionAcquireTimeoutError',
} as const

/** Sequelize versions with which everything here was tested. */
export const TESTED_SEQUELIZE = '6.37'

/** Every private member of Sequelize that is used: where it is, and what it must be. */
export const SEQUELIZE_MEMBERS: readonly Member[] = [
  { of: 'sequelize', name: 'connectionManager', type: 'object' },
  { of: 'sequelize', name: 'dialect', type: 'object' },
  { of: 'sequelize', name: 'modelManager', type: 'object' },
  { of: 'sequelize', name: 'options', type: 'object' },
  { of: 'sequelize', name: 'hasHook', type: 'function' },
  { of: 'sequelize', name: 'runHooks', type: 'function' },
  { of: 'sequelize', name: 'getQueryInterface', type: 'function' },
  { of: 'sequelize.options', name: 'databaseVersion', type: 'any' },
  { of: 'sequelize.dialect', name: 'Query', type: 'function' },
  { of: 'sequelize.dialect', name: 'DataTypes', type: 'object' },
  { of: 'sequelize.dialect.Query.prototype', name: 'formatError', type: 'function' },
  { of: 'sequelize.modelManager', name: 'models', type: 'object' },
  { of: 'queryInterface', name: 'commitTransaction', type: 'function' },
  { of: 'queryInterface', name: 'rollbackTransaction', type: 'function' },
  { of: 'connectionManager', name: 'pool', type: 'object' },
  { of: 'connectionManager', name: 'config', type: 'object' },
  { of: 'connectionManager', name: 'nameOidMap', type: 'object' },
  { of: 'connectionManager', name: 'oidParserMap', type: 'object' },
  { of: 'connectionManager', name: 'getConnection', type: 'function' },
  { of: 'connectionManager', name: 'releaseConnection', type: 'function' },
  { of: 'connectionManager', name: 'destroyConnection', type: 'function' },
  { of: 'connectionManager', name: 'close', type: 'function' },
  { of: 'connectionManager', name: 'initPools', type: 'function' },
  { of: 'connectionManager', name: 'refreshTypeParser', type: 'function' },
  { of: 'connectionManager', name: '_refreshDynamicOIDs', type: 'function' },
  { of: 'connectionManager', name: '_connect', type: 'function' },
  { of: 'connectionManager', name: '_disconnect', type: 'function' },
  { of: 'connectionManager', name: '_validate', type: 'function' },
  { of: 'connectionManager.pool', name: 'size', type: 'number' },
  { of: 'connectionManager.pool', name: 'available', type: 'number' },
  { of: 'connectionManager.pool', name: 'using', type: 'number' },
  { of: 'connectionManager.pool', name: 'waiting', type: 'number' },
  { of: 'connectionManager.pool', name: 'minSize', type: 'number' },
  { of: 'connectionManager.pool', name: 'acquire', type: 'function' },
  { of: 'connectionManager.pool', name: 'release', type: 'function' },
  { of: 'connectionManager.pool', name: 'destroy', type: 'function' },
  { of: 'connectionManager.pool', name: 'destroyAllNow', type: 'function' },
  { of: 'transaction', name: 'id', type: 'string' },
  { of: 'transaction', name: 'name', type: 'string' },
  { of: 'transaction', name: 'parent', type: 'any' },
  { of: 'transaction', name: 'options', type: 'object' },
  { of: 'transaction', name: 'sequelize', type: 'object' },
  { of: 'transaction', name: '_afterCommitHooks', type: 'object' },
  { of: 'transaction', name: 'prepareEnvironment', type: 'function' },
  { of: 'transaction', name: 'begin', type: 'function' },
  { of: 'transaction', name: 'setDeferrable', type: 'function' },
  { of: 'transaction', name: 'cleanup', type: 'function' },
  { of: 'transaction', name: 'forceCleanup', type: 'function' },
]

/**
 * The members of `SEQUELIZE_MEMBERS` that this Sequelize lacks; nothing is connected. Not listed, because they are there
 * only later: a transaction's `connection` and `finished`, a connection's `_invalid`, a pool's `_removeIdleTimer`, and
 * the class's `_cls`.
 */
export function missingSequelizeMembers(sequelize: Sequelize, Transaction: TransactionClass): string[] {
  const { connectionManager, dialect, modelManager, options } = internalsOf(sequelize) as Partial<SequelizeInternals>
  return missingMembers(SEQUELIZE_MEMBERS, {
    sequelize,
    'sequelize.options': options,
    'sequelize.dialect': dialect,
    'sequelize.dialect.Query.prototype': (dialect?.Query as { prototype?: object } | undefined)?.prototype,
    'sequelize.modelManager': modelManager,
    queryInterface: unlessItThrows(() => internalsOf(sequelize).getQueryInterface()),
    connectionManager,
    'connectionManager.pool': connectionManager?.pool,
    transaction: unlessItThrows(() => new Transaction(sequelize)),
  })
}

// A Sequelize that lacks one member may need it to make the rest.
function unlessItThrows<Place>(make: () => Place): Place | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
