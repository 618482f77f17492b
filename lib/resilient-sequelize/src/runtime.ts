import type { Sequelize, Transaction } from 'sequelize'
import { NestedOperationError } from './errors/errors.ts'
import { notResilient } from './errors/not-resilient.ts'
import type { Executor } from './operation/executor.ts'
import { currentWork, type RunningWork } from './operation/work.ts'
import type { PoolManager } from './pool/manager.ts'
import type { Logger } from './telemetry.ts'
import type { GuardedClient } from './wire/guarded-client.ts'
import { ownerOf } from './wire/sequelize-internals.ts'

/** Sequelize's error classes, of the copy of Sequelize that the instance is made of. */
export interface SequelizeErrors {
  readonly BaseError: new (message?: string) => Error
  readonly ConnectionError: new (parent: Error) => Error
  readonly ConnectionAcquireTimeoutError: new (parent: Error) => Error
  readonly DatabaseError: new (parent: Error) => Error
}

/** What stands behind one instance of ResilientSequelize. */
export interface Runtime {
  readonly manager: PoolManager
  readonly executor: Executor
  readonly logger: Logger
  readonly errors: SequelizeErrors
  /** How long a call without a deadline waits for a connection, retries included, in ms. */
  readonly acquireMs: number
  /** Texts of single statements that the server refused in a read-only transaction. */
  readonly writingReads: Set<string>
  /** The transaction of this instance in the namespace that the application gave to `Sequelize.useCLS`, if it did. */
  findInNamespace(isOwn: (transaction: Transaction) => boolean): Transaction | undefined
  /** Whether there is a transaction in that namespace; asked once it is known that it is not of this instance. */
  isForeignAmbient(): boolean
  enterNamespace(transaction: Transaction): void
  leaveNamespace(transaction: Transaction): void
  /** What is held of the pool by transactions and by `getConnection()`, to be given back. */
  readonly held: WeakMap<GuardedClient, { release(): void; destroy(): void }>
}

const RUNTIME = Symbol('runtime')

export function setRuntime(sequelize: Sequelize, runtime: Runtime): void {
  Object.defineProperty(sequelize, RUNTIME, { value: runtime })
}

/** Found through the prototype as well: an object made of an instance by `Object.create` is that instance. */
export function runtimeOf(sequelize: Sequelize): Runtime {
  const runtime = (sequelize as { [RUNTIME]?: Runtime } | undefined)?.[RUNTIME]
  if (runtime === undefined) throw notResilient()
  return runtime
}

/** The unit of work of this instance that the call is part of, if any. */
export function unitOf({ manager }: Pick<Runtime, 'manager'>): RunningWork | undefined {
  return currentWork(manager)
}

/** The transaction that a call without one is part of: the unit's own, else the one in the application's namespace. */
export function ambientTransaction(sequelize: Sequelize, runtime: Runtime): Transaction | undefined {
  const unit = unitOf(runtime)
  if (unit !== undefined) return unit.work.transaction
  return runtime.findInNamespace(transaction => isSame(ownerOf(transaction), sequelize))
}

/** @throws NestedOperationError when the transaction belongs to another Sequelize instance. */
export function refuseForeign(sequelize: Sequelize, transaction: Transaction): void {
  const owner = ownerOf(transaction)
  if (owner !== undefined && !isSame(owner, sequelize))
    throw new NestedOperationError('The transaction of this call belongs to another Sequelize instance.')
}

function isSame(one: Sequelize | undefined, other: Sequelize): boolean {
  return one === other || (one !== undefined && (one as { [RUNTIME]?: Runtime })[RUNTIME] === runtimeOf(other))
}
