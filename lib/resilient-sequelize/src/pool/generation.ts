import type { Sequelize } from 'sequelize'
import { wait } from '../../../invocation/src/wait.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { TransactionLimits } from '../wire/limits.ts'
import { isEnding, keepProcessAlive } from '../wire/pg-internals.ts'
import {
  disconnect,
  internalsOf,
  isAcquireTimeout,
  isUsable,
  markUnusable,
  releaseIdleTimer,
  type AcquireOptions,
  type PoolClass,
  type PoolFactory,
  type SequelizePool,
} from '../wire/sequelize-internals.ts'
import type { TypeCatalog } from '../wire/type-catalog.ts'
import type { PoolSettings } from './profile.ts'
import type { WorkHost } from './work-host.ts'

export interface PoolCounts {
  size: number
  idle: number
  inUse: number
  waiting: number
}

/** What a Sequelize instance gives to each of its pools. */
export interface PoolSource {
  readonly sequelize: Sequelize
  readonly host: WorkHost
  readonly types: TypeCatalog
  readonly Pool: PoolClass
  /** Sequelize's error for a wait that took longer than `pool.acquire`. */
  readonly AcquireTimeoutError: new (cause: Error) => Error
  /** Connects and logs in; start-up options only where no pooler would refuse them. */
  connect(how: { readonly withOptions: boolean }): Promise<GuardedClient>
  /** A connection that was begun early and that nobody has taken yet. */
  takeEarly(): GuardedClient | undefined
}

export interface GenerationOptions {
  number: number
  settings: PoolSettings & { readonly maxUses?: number | undefined }
  /** Limits for the transactions of sessions that have none of their own, such as those of a pooler. */
  limits: TransactionLimits
  /** Whether the sessions are a pooler's: it refuses start-up options, and what is set for a session leaks to others. */
  pooled: boolean
  /** For a pool that is built after `close()`: it keeps no minimum, and an idle connection does not keep the process alive. */
  afterClose?: boolean
  /** Called for each connection that is made. */
  connected?: (generation: number) => void
}

// How long a connection may take to end politely before its socket is destroyed.
const END_MS = 2_000

/**
 * One pool, from its creation to its replacement. When it is closed or spoiled another takes its place; what uses or waits
 * for one of its connections by then ends undisturbed.
 */
const generations = new WeakMap<GuardedClient, Generation>()

/** The pool that a connection belongs to. */
export function generationOf(client: GuardedClient): Generation | undefined {
  return generations.get(client)
}

export class Generation {
  readonly number: number
  readonly sequelize: Sequelize
  readonly host: WorkHost
  readonly types: TypeCatalog
  /** Whether its connections start with options that a pooler may refuse. */
  readonly sendsOptions: boolean
  readonly pool: SequelizePool
  readonly #source: PoolSource
  readonly #options: GenerationOptions
  readonly #factory: PoolFactory
  /** Every connection there is, so that a bounded close can reach those that the pool has lost sight of. */
  readonly #connections = new Set<GuardedClient>()
  #limits: TransactionLimits | undefined
  #claimed = 0
  #retired = false
  readonly #waitingForEnd = new Set<() => void>()

  constructor(source: PoolSource, options: GenerationOptions) {
    const { settings, pooled, limits, afterClose = false } = options
    this.number = options.number
    this.sequelize = source.sequelize
    this.host = source.host
    this.types = source.types
    this.sendsOptions = !pooled
    this.#source = source
    this.#options = options
    this.#limits = pooled ? limits : undefined
    this.#factory = {
      name: 'resilient-sequelize',
      create: () => this.#connect(),
      destroy: client => this.#disconnect(client),
      validate: client => isUsable(source.sequelize, client),
      max: settings.max,
      min: afterClose ? 0 : settings.min,
      acquireTimeoutMillis: settings.acquireMs,
      idleTimeoutMillis: settings.idleMs,
      reapIntervalMillis: settings.evictMs,
      maxUses: settings.maxUses,
    }
    this.pool = new source.Pool(this.#factory)
  }

  /** Limits that each transaction brings along, since its session has none of its own; `undefined` on a direct connection. */
  get transactionLimits(): TransactionLimits | undefined {
    return this.#limits
  }

  /** From now on each transaction brings its limits along: a pooler that was not configured has dropped the options. */
  takeForPooled(): void {
    this.#limits = this.#options.limits
  }

  /** Connections that are held or waited for: above the pool's size a caller waits for others of this process. */
  get claimed(): number {
    return this.#claimed
  }

  counts(): PoolCounts {
    const { size, available, using, waiting } = this.pool
    return { size, idle: available, inUse: using, waiting }
  }

  /**
   * A connection, with Sequelize's hooks around it.
   * @throws what connecting met; Sequelize's ConnectionAcquireTimeoutError when none was free in time.
   */
  async acquire(options: AcquireOptions = {}): Promise<GuardedClient> {
    this.#claimed += 1
    let client: GuardedClient | undefined
    try {
      await internalsOf(this.sequelize).runHooks('beforePoolAcquire', options)
      client = await this.pool.acquire()
      this.#hold(client, true)
      await internalsOf(this.sequelize).runHooks('afterPoolAcquire', client, options)
      return client
    } catch (error) {
      this.#claimed -= 1
      if (client !== undefined) {
        this.#hold(client, false)
        this.pool.release(client)
      }
      this.#tidy()
      throw isAcquireTimeout(error) ? new this.#source.AcquireTimeoutError(error as Error) : error
    }
  }

  /** Nothing waits for this connection any more: if it arrives all the same, it goes back to the pool. */
  abandon(acquired: Promise<GuardedClient>): void {
    // Not only once it settles: meanwhile it is not held, and the next caller does not wait for others.
    this.#claimed -= 1
    acquired.then(
      client => {
        this.#hold(client, false)
        this.pool.release(client)
        this.#tidy()
      },
      () => void (this.#claimed += 1),
    )
  }

  release(client: GuardedClient): void {
    this.#claimed -= 1
    this.#hold(client, false)
    this.pool.release(client)
    this.#tidy()
  }

  /** Drops a connection at once, without waiting for the server's answer. */
  destroy(client: GuardedClient): void {
    this.#claimed -= 1
    markUnusable(client)
    client.destroySocket()
    this.drop(client)
    this.#tidy()
  }

  /** Takes a connection that is known to be dead out of the pool. */
  drop(client: GuardedClient): void {
    this.pool.destroy(client).catch(() => undefined)
  }

  /** Ends idle connections politely, and waits for it; the pool stays usable. */
  async closeIdle(): Promise<void> {
    const early = this.#source.takeEarly()
    await Promise.all([this.pool.destroyAllNow(), early?.end().catch(() => undefined)])
  }

  /**
   * Retires the pool: idle connections end now, the others as soon as they are given back. Resolves when no more than
   * `except` connections are in use, or after `withinMs`.
   */
  async retire(withinMs: number, { except = 0 }: { except?: number } = {}): Promise<void> {
    this.#retired = true
    this.#factory.min = 0
    const early = this.#source.takeEarly()
    early?.end().catch(() => early.destroySocket())
    this.#tidy()
    if (this.#claimed <= except) return
    const stop = new AbortController()
    const ended = new Promise<void>(resolve => {
      const look = () => {
        if (this.#claimed > except) return
        this.#waitingForEnd.delete(look)
        resolve()
      }
      this.#waitingForEnd.add(look)
    })
    await Promise.race([ended, wait(withinMs, stop.signal).catch(() => undefined)])
    stop.abort()
  }

  /** Retires the pool, and after `withinMs` destroys the sockets of whatever is still open. */
  async close(withinMs: number): Promise<void> {
    const closedAt = performance.now() + withinMs
    await this.retire(withinMs)
    await this.#ended(Math.max(0, closedAt - performance.now()))
    this.#source.takeEarly()?.destroySocket()
    for (const client of this.#connections) client.destroySocket()
  }

  async #ended(withinMs: number): Promise<void> {
    const stop = new AbortController()
    const ends = [...this.#connections].map(client => new Promise<void>(resolve => client.once('end', () => resolve())))
    await Promise.race([Promise.all(ends), wait(withinMs, stop.signal).catch(() => undefined)])
    stop.abort()
  }

  async #connect(): Promise<GuardedClient> {
    const client = await this.#source.connect({ withOptions: this.sendsOptions })
    this.#connections.add(client)
    generations.set(client, this)
    client.once('end', () => this.#connections.delete(client))
    this.#options.connected?.(this.number)
    // No caller may wait for a connection that arrives after the end of its pool.
    if (this.#retired) setImmediate(() => this.#tidy())
    return client
  }

  async #disconnect(client: GuardedClient): Promise<void> {
    const stop = new AbortController()
    client.isRetired = true
    const ended = disconnect(this.sequelize, client)
    const late = wait(END_MS, stop.signal, { idle: true }).then(
      () => client.destroySocket(),
      () => undefined,
    )
    try {
      await Promise.race([ended, late])
    } finally {
      stop.abort()
    }
  }

  // A retired pool keeps what others wait for, and ends the rest.
  #tidy(): void {
    for (const look of this.#waitingForEnd) look()
    if (this.#retired && this.pool.waiting === 0 && this.pool.available > 0) this.pool.destroyAllNow().catch(() => undefined)
  }

  // After close() an idle connection, and the timer that evicts it, must not keep the process alive.
  #hold(client: GuardedClient, inUse: boolean): void {
    if (!this.#options.afterClose || isEnding(client)) return
    keepProcessAlive(client, inUse)
    if (!inUse) queueMicrotask(() => releaseIdleTimer(this.pool))
  }
}
