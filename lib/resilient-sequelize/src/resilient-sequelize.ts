import pg from 'pg'
import type { Options, Sequelize, Transaction, TransactionOptions } from 'sequelize'
import { noteCaller, withCaller } from '../../invocation/src/call-site.ts'
import { CodedError } from '../../invocation/src/errors.ts'
import { annotate } from './errors/annotate.ts'
import { NestedOperationError } from './errors/errors.ts'
import { Executor } from './operation/executor.ts'
import { installConnectionManager, STAND_ALONE } from './connection-manager.ts'
import { Generation } from './pool/generation.ts'
import { PoolManager, type BuildOptions, type ConnectionStatus } from './pool/manager.ts'
import type { ExecuteOptions } from './operation/executor.ts'
import type { SafeExecuteOptions } from './operation/safe-execute.ts'
import type { Work } from './operation/work.ts'
import { setSource, sourceOf } from './pool/sources.ts'
import { checkOptions, checkPort, profileOf, readArguments, refuseConstruction, type ResilientOptions } from './options.ts'
import { ambientTransaction, refuseForeign, runtimeOf, setRuntime, unitOf, type SequelizeErrors } from './runtime.ts'
import { makeStandingTransaction } from './transaction/standing-transaction.ts'
import { assertInternals } from './wire/assert-internals.ts'
import { guardClient } from './wire/client.ts'
import type { GuardedClientClass, TypeHooks } from './wire/guarded-client.ts'
import { connectWith, internalsOf, transactionInternals, type PoolClass, type TransactionClass } from './wire/sequelize-internals.ts'
import {
  enterNamespace,
  findInNamespace,
  isOccupied,
  leaveNamespace,
  markResilient,
  type Namespace,
  namespaceOf,
  withNamespace,
} from './wire/namespaces.ts'
import { CLIENT_CHECK_MS } from './wire/limits.ts'
import { pinnedParameters } from './wire/pinned-settings.ts'
import { startUpOptions, timeZoneParameter } from './wire/start-up.ts'
import { StatementRunner } from './wire/statement.ts'
import { isReadOnly, READ_ONLY, refuseUnsupported } from './wire/supported-server.ts'
import { TypeCatalog } from './wire/type-catalog.ts'

/** What an instance has beside Sequelize's own members. */
export interface Resilience {
  /**
   * Runs `work` as one unit, applied once or not at all: repeated as a whole while it is certain that nothing was applied
   * and the deadline allows it (the running invocation's, or 20 s). Called within a unit it joins that one.
   * @throws DatabaseUnavailableError, DatabaseBusyError, DeadlineExceededError, TransactionRolledBackError,
   * CommitUnknownError, NestedOperationError; else what `work` threw.
   */
  execute<Result>(name: string, work: (work: Work) => Promise<Result>, options?: ExecuteOptions): Promise<Result>
  /** Runs work that must not fail its caller: resolves to its result, or to `fallbackValue`. Never rejects. */
  safeExecute<Result, Fallback>(work: () => Promise<Result>, options: SafeExecuteOptions<Fallback>): Promise<Result | Fallback>
  /** Proves that the database answers, or builds the pool anew and proves that; rejects with what was met. */
  connect(signal?: AbortSignal): Promise<void>
  /** Whether the database answers within `withinMs` (by default 3,000 ms); never rejects. */
  isConnectionHealthy(withinMs?: number): Promise<boolean>
  /** The state of pool and circuit breaker; holds neither host nor user. */
  getConnectionStatus(): ConnectionStatus
  /** Ends running work within `withinMs` (by default 2,000 ms); later calls are refused with the code `shut-down`. */
  gracefulShutdown(withinMs?: number): Promise<void>
}

/** The class of Sequelize, or of a subclass of it. */
export type SequelizeClass = typeof Sequelize

/** A class of Sequelize whose instances survive the loss of their connections. */
export type ResilientClass<Base extends SequelizeClass = SequelizeClass> = Omit<Base, 'prototype'> & {
  new (url: string, options?: OptionsOf<Base>): InstanceType<Base> & Resilience
  new (options?: OptionsOf<Base>): InstanceType<Base> & Resilience
  new (database: string, username: string, password?: string, options?: OptionsOf<Base>): InstanceType<Base> & Resilience
  prototype: InstanceType<Base> & Resilience
}

/** The options of a class of Sequelize: a subclass may know more of them. */
type OptionsOf<Base> = Base extends new (url: string, options?: infer Given extends Options) => unknown
  ? Given & Pick<ResilientOptions, 'resilience'>
  : ResilientOptions

// How long close() waits for running work; what runs longer ends undisturbed.
const CLOSE_MS = 2_000

/** Builds a pool of an instance: for the manager that was handed to it. */
export function buildGeneration(sequelize: Sequelize, options: BuildOptions): Generation {
  const { resilience, pool } = internalsOf(sequelize).options as ResilientOptions
  const { connectionManager } = internalsOf(sequelize)
  return new Generation(sourceOf(sequelize), {
    ...options,
    settings: { ...profileOf({ ...(pool && { pool }), ...(resilience && { resilience }) }).pool, maxUses: connectionManager.config.pool.maxUses },
    limits: { idleMs: resilience?.transactionIdleMs ?? 0, clientCheckMs: CLIENT_CHECK_MS },
  })
}

/**
 * Makes a class of Sequelize whose instances replace dead connections and closed pools, repeat what was certainly not
 * applied, and decide a lost COMMIT. For applications whose Sequelize is another copy or a subclass of its own, such as
 * sequelize-typescript's; otherwise use `ResilientSequelize`.
 */
export function makeResilient<Base extends SequelizeClass>(Base: Base): ResilientClass<Base> {
  const Parent = Base as unknown as new (...given: unknown[]) => Sequelize
  const statics = Base as unknown as SequelizeErrors & { readonly Transaction: TransactionClass; readonly version: string }
  const { Transaction: BaseTransaction } = statics
  const StandingTransaction = makeStandingTransaction(BaseTransaction)
  let isAsserted = false

  class Resilient extends Parent implements Resilience {
    constructor(...given: unknown[]) {
      const { options, put } = readArguments(given)
      checkOptions(options)
      const { resilience = {} } = options
      const library = (options.dialectModule ?? pg) as typeof pg
      if (typeof library.Client !== 'function') throw new CodedError('ResilientSequelize: `dialectModule` is not pg.', { code: 'invalid-options' })
      const hooks: TypeHooks = {}
      const Client = clientOf(library, options, hooks)
      try {
        super(...put(adjust(options, { ...library, Client })))
      } catch (error) {
        throw refuseConstruction(error)
      }
      checkPort(internalsOf(this).options.port)
      if (!isAsserted) assertInternals({ sequelize: this, Sequelize: statics, pg: library })
      isAsserted = true

      const { connectionManager } = internalsOf(this)
      const types = new TypeCatalog(this)
      hooks.completeTypes = (client, results) => types.complete(client, results)
      const statements = new StatementRunner(this)
      const { logger, counters, now, random, budget, isExpected, behindCommit, pooled, slowOperationMs, durable } = resilience
      const profile = profileOf(options)
      const manager =
        resilience.manager ??
        new PoolManager({ profile, pooled, slowOperationMs, logger, counters, behindCommit, now, build: asked => buildGeneration(this, asked) })
      const executor = new Executor({ manager, logger, counters, budget, random, isExpected, durable })
      const key = Symbol('transaction')
      setRuntime(this, {
        manager,
        executor,
        logger: executor.tools.logger,
        errors: statics,
        acquireMs: profile.pool.acquireMs,
        writingReads: new Set(),
        findInNamespace: isOwn => findInNamespace(Base, key, isOwn),
        isForeignAmbient: () => isOccupied(Base),
        enterNamespace: transaction => enterNamespace(Base, transaction, key),
        leaveNamespace: transaction => leaveNamespace(Base, transaction, key),
        held: new WeakMap(),
      })
      setSource(this, {
        sequelize: this,
        types,
        Pool: connectionManager.pool.constructor as PoolClass,
        AcquireTimeoutError: statics.ConnectionAcquireTimeoutError,
        host: {
          run: (connection, text, bind) => statements.run(connection, text, bind),
          format: (connection, error) => statements.format(connection, error),
          enlist: connection => enlist(this, BaseTransaction, connection),
        },
        takeEarly: () => resilience.early?.take(),
        connect: async ({ withOptions }) => {
          // What such a hook changes, the early connection was made without.
          if (internalsOf(this).hasHook('beforeConnect')) resilience.early?.take()?.destroySocket()
          const { config } = connectionManager
          const added = withOptions ? startUpOptions(options, profile, config.dialectOptions?.options) : undefined
          const client = await connectWith(
            this,
            added === undefined ? config : { ...config, dialectOptions: { ...config.dialectOptions, options: added } },
          )
          try {
            refuseUnsupported(client.announced)
          } catch (error) {
            client.destroySocket()
            throw error
          }
          if (isReadOnly(client.announced)) executor.tools.logger.warn({ event: 'database.server.read-only', hint: READ_ONLY })
          const { options: own } = internalsOf(this)
          const { server_version: version } = client.announced
          if (own.databaseVersion === 0 && version !== undefined) own.databaseVersion = versionNumber(version)
          return client
        },
      })
      installConnectionManager(this, runtimeOf(this))
      Object.defineProperty(this, 'constructor', { value: scoped(this, new.target, Base), configurable: true, writable: true })
    }

    // Sequelize's own looks at the namespace of the base class alone, whichever instance asks.
    override query(...given: unknown[]): never {
      return runQuery(this, given, options => super.query(given[0] as string, options as never)) as never
    }

    // Two forms, with one implementation: Sequelize's own makes its transaction of the base class.
    override async transaction(given?: unknown, callback?: unknown): Promise<never> {
      const work = (typeof given === 'function' ? given : callback) as ((transaction: Transaction) => PromiseLike<unknown>) | undefined
      const options = (typeof given === 'function' ? undefined : given) as TransactionOptions | undefined
      const transaction = new StandingTransaction(this, options)
      if (work === undefined) {
        await transactionInternals(transaction).prepareEnvironment(false)
        return transaction as never
      }
      return inNamespace(namespaceOf(Base), async () => {
        await transactionInternals(transaction).prepareEnvironment(true)
        let result: unknown
        try {
          result = await work(transaction)
        } catch (error) {
          // The error of the work is the one to report.
          await transaction.rollback().catch(() => undefined)
          throw error
        }
        await transaction.commit()
        return result
      }) as Promise<never>
    }

    override async close(): Promise<void> {
      const runtime = runtimeOf(this)
      await runtime.manager.close(CLOSE_MS, { except: unitOf(runtime) === undefined ? 0 : 1 })
    }

    async execute<Result>(name: string, work: (work: Work) => Promise<Result>, options?: ExecuteOptions): Promise<Result> {
      return runtimeOf(this).executor.execute(name, work, options)
    }

    async safeExecute<Result, Fallback>(work: () => Promise<Result>, options: SafeExecuteOptions<Fallback>): Promise<Result | Fallback> {
      return runtimeOf(this).executor.safeExecute(work, options)
    }

    async connect(signal?: AbortSignal): Promise<void> {
      await runtimeOf(this).manager.connect(signal)
    }

    async isConnectionHealthy(withinMs?: number): Promise<boolean> {
      return runtimeOf(this).manager.isConnectionHealthy(withinMs)
    }

    getConnectionStatus(): ConnectionStatus {
      return runtimeOf(this).manager.getConnectionStatus()
    }

    async gracefulShutdown(withinMs?: number): Promise<void> {
      await runtimeOf(this).manager.gracefulShutdown(withinMs)
    }
  }

  markResilient(Resilient)
  return Object.defineProperty(Resilient, 'name', { value: 'ResilientSequelize' }) as unknown as ResilientClass<Base>
}

async function runQuery(sequelize: Sequelize, given: readonly unknown[], send: (options: object) => Promise<unknown>): Promise<unknown> {
  const runtime = runtimeOf(sequelize)
  const caller = noteCaller()
  const options = given[1] as { transaction?: Transaction | null } | undefined
  const transaction = options?.transaction === undefined ? ambientTransaction(sequelize, runtime) : options.transaction
  try {
    if (transaction !== undefined && transaction !== null) {
      refuseForeign(sequelize, transaction)
      return await send({ ...options, transaction })
    }
    // With one connection in the pool such a call would wait for the very connection that its own work holds.
    if (unitOf(runtime) !== undefined) throw new NestedOperationError('A Sequelize call within a unit of work asked for a connection of its own.')
    // Sequelize itself would take another instance's transaction out of the namespace.
    const apart = runtime.isForeignAmbient() ? { transaction: null } : {}
    return await send({ ...options, ...apart, [STAND_ALONE]: true })
  } catch (error) {
    throw withCaller(annotate(error, runtime.errors), caller)
  }
}

/** The class of client that Sequelize is given; its first client is the early connection, if that fits. */
function clientOf(library: typeof pg, options: ResilientOptions, hooks: TypeHooks): GuardedClientClass {
  const {
    timezone = '+00:00',
    dialectOptions = {},
    keepDefaultTimezone,
    standardConformingStrings,
    resilience,
  } = options as ResilientOptions & {
    dialectOptions?: { sslnegotiation?: 'postgres' | 'direct' }
    keepDefaultTimezone?: boolean
  }
  const Guarded = guardClient(library.Client, {
    hooks,
    startParameters: pinnedParameters({ standardConformingStrings, timeZone: keepDefaultTimezone ? undefined : timeZoneParameter(timezone) }),
    ...(resilience?.now && { now: resilience.now }),
    ...(dialectOptions.sslnegotiation && { sslnegotiation: dialectOptions.sslnegotiation }),
  })
  function ClientOrEarly(config: pg.ClientConfig): InstanceType<GuardedClientClass> {
    return resilience?.early?.take(config, hooks) ?? new Guarded(config)
  }
  ClientOrEarly.prototype = Guarded.prototype as unknown
  return Object.setPrototypeOf(ClientOrEarly, Guarded) as GuardedClientClass
}

/** Sequelize's options as they make it open one connection and send no statement of its own. */
function adjust(options: ResilientOptions, dialectModule: object): Options {
  const profile = profileOf(options)
  const { max, min, acquireMs, idleMs, evictMs } = profile.pool
  return {
    ...options,
    dialect: 'postgres',
    dialectModule,
    // The time zone is a start-up parameter.
    keepDefaultTimezone: true,
    pool: { ...options.pool, max, min, acquire: acquireMs, idle: idleMs, evict: evictMs },
    dialectOptions: { keepAlive: true, ...options.dialectOptions, clientMinMessages: 'ignore' },
  } as Options
}

// The unit's transaction is ended by the unit alone.
function enlist(sequelize: Sequelize, TransactionOf: TransactionClass, connection: InstanceType<GuardedClientClass>): Transaction {
  const transaction = new TransactionOf(sequelize)
  const internals = transactionInternals(transaction)
  internals.connection = connection
  connection.uuid = internals.id
  // Also when the work handles this error, the unit fails.
  const refuse = async () => {
    const error = new NestedOperationError('The transaction of a unit of work is ended by the unit alone: return or throw.')
    if (internals.finished === undefined && internals.connection === connection) connection.guard?.root.ended?.(error)
    throw error
  }
  return Object.assign(transaction, { commit: refuse, rollback: refuse })
}

/**
 * The class as an instance shows it. Models look for an ambient transaction in `sequelize.constructor._cls`: that has to
 * answer for this instance, and leave the application's namespace as it is.
 */
function scoped(sequelize: Sequelize, Target: object, Base: object): object {
  const namespace: Namespace = {
    get: key => (key === 'transaction' ? ambientTransaction(sequelize, runtimeOf(sequelize)) : namespaceOf(Base)?.get(key)),
    set: (key, value) => namespaceOf(Base)?.set(key, value),
    run: body => inNamespace(namespaceOf(Base), () => body(undefined)),
    bind: body => namespaceOf(Base)?.bind(body) ?? body,
  }
  return withNamespace(Target, namespace)
}

function inNamespace<Result>(namespace: Namespace | undefined, body: () => Result): Result {
  if (namespace === undefined) return body()
  let result: Result | undefined
  namespace.run(() => (result = body()))
  return result as Result
}

// As Sequelize writes the versions of servers: three numbers.
function versionNumber(told: string): string {
  const [major = '0', minor = '0', patch = '0'] = (/\d+(?:\.\d+)*/.exec(told)?.[0] ?? '0').split('.')
  return [major, minor, patch].join('.')
}
