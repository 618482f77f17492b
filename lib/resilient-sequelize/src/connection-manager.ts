import type { Sequelize } from 'sequelize'
import { currentDeadline } from '../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { annotate } from './errors/annotate.ts'
import { NestedOperationError } from './errors/errors.ts'
import { leaseConnection } from './operation/lease-connection.ts'
import { StandAloneConnection } from './operation/stand-alone.ts'
import { unitOf, type Runtime } from './runtime.ts'
import type { GuardedClient } from './wire/guarded-client.ts'
import { internalsOf, type AcquireOptions, type ConnectionManager } from './wire/sequelize-internals.ts'
import { generationOf } from './pool/generation.ts'

/** Marks the options of a call that is outside of any transaction. */
export const STAND_ALONE = Symbol('stand-alone')

/**
 * Puts the pool manager in the place of Sequelize's pool. The methods go between the connection manager and its class:
 * recipes for serverless code delete a method of the instance to open a closed pool.
 */
export function installConnectionManager(sequelize: Sequelize, runtime: Runtime): void {
  const { connectionManager } = internalsOf(sequelize)
  const { held } = runtime
  const overrides: Partial<ConnectionManager> & ThisType<ConnectionManager> = {
    async getConnection(options: AcquireOptions = {}) {
      if (STAND_ALONE in options) {
        const { executor, acquireMs, writingReads } = runtime
        return new StandAloneConnection({ tools: executor.tools, acquireMs, writingReads })
      }
      return acquire(runtime)
    },
    releaseConnection(connection) {
      if (!(connection instanceof StandAloneConnection)) held.get(connection as GuardedClient)?.release()
    },
    async destroyConnection(connection) {
      held.get(connection as GuardedClient)?.destroy()
    },
    close: () => sequelize.close(),
    // The next pool is built when it is needed.
    initPools: () => undefined,
  }
  const between = Object.create(Object.getPrototypeOf(connectionManager) as object, Object.getOwnPropertyDescriptors(overrides)) as object
  const pool = poolView(sequelize, runtime)
  Object.defineProperty(between, 'pool', { get: () => pool, set: () => undefined, configurable: true })
  delete (connectionManager as Partial<ConnectionManager>).pool
  Object.setPrototypeOf(connectionManager, between)
}

/** A connection for code that speaks to pg itself: proven alive, and given back by `releaseConnection`. */
async function acquire(runtime: Runtime): Promise<GuardedClient> {
  if (unitOf(runtime) !== undefined) throw new NestedOperationError('A Sequelize call within a unit of work asked for a connection of its own.')
  const given = currentDeadline()
  const deadline = given ?? openDeadline({ remainingMs: runtime.acquireMs, reserveMs: 0 })
  try {
    const options = { name: 'sequelize.connection', mode: 'write', deadline, signal: deadline.signal } as const
    const lease = await leaseConnection(options, runtime.executor.tools)
    // pg takes cursors, streams and COPY only on a connection that does not pipeline.
    lease.connection.pipeline = false
    runtime.held.set(lease.connection, lease)
    return lease.connection
  } catch (error) {
    throw annotate(error, runtime.errors)
  } finally {
    if (given === undefined) deadline.clear()
  }
}

/** What stands for the pool where code looks at `connectionManager.pool`: the pool that is in use now. */
function poolView(sequelize: Sequelize, { manager, held }: Runtime): ConnectionManager['pool'] {
  const counts = () => manager.getConnectionStatus().pool
  return {
    get size() {
      return counts().size
    },
    get available() {
      return counts().idle
    },
    get using() {
      return counts().inUse
    },
    get waiting() {
      return counts().waiting
    },
    get maxSize() {
      return counts().max
    },
    get minSize() {
      return manager.generation?.pool.minSize ?? 0
    },
    acquire: () => internalsOf(sequelize).connectionManager.getConnection() as Promise<GuardedClient>,
    release: client => held.get(client)?.release(),
    // Sequelize calls it for each connection that dies, whichever pool that belongs to.
    destroy: async client => generationOf(client)?.drop(client),
    destroyAllNow: async () => manager.generation?.closeIdle(),
    drain: () => sequelize.close(),
  } as ConnectionManager['pool'] & { drain(): Promise<void> }
}
