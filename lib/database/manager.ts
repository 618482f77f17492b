import type { Sequelize } from 'sequelize'
import type { DatabaseSettings } from '../config/settings/database.ts'
import { DeadlineExceededError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import { untilAborted, wait } from '../resilience/wait.ts'
import { classifyAcquireError, errorCode } from './errors/classify.ts'
import { buildGeneration, type Connection, type Generation, type PoolCounts } from './generation.ts'

export interface DatabaseManagerOptions {
  settings: DatabaseSettings
  /** Shown by the server for each session; says which function holds it. */
  applicationName: string
  logger: Logger
  now?: () => number
  build?: typeof buildGeneration
}

/** What may be told about the connection; holds neither host nor user. */
export interface ConnectionStatus {
  readonly state: 'idle' | 'starting' | 'ready'
  /** How often the pool has been built in this container; 0 before the first use. */
  readonly generation: number
  readonly pool: PoolCounts & { readonly max: number }
  /** Epoch ms. */
  readonly lastSuccessAt: number | undefined
  /** Epoch ms. */
  readonly lastFailureAt: number | undefined
  readonly lastErrorCode: string | undefined
}

/** A connection and the generation that it has to be given back to. */
export interface Lease {
  readonly generation: Generation
  readonly connection: Connection
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly started: Promise<Generation> }
  | { readonly kind: 'ready'; readonly generation: Generation }

// How long an old pool may take to end politely before its sockets are destroyed.
const CLOSE_MS = 2_000
const HEALTH_CHECK_MS = 3_000
// Somebody who closes every pool as soon as it is built would otherwise keep a caller here for ever.
const MAX_REBUILDS = 5
const NO_CONNECTIONS: PoolCounts = { size: 0, idle: 0, inUse: 0, waiting: 0 }

/**
 * Owns the life of the pool: one per bundle, in module scope. Nothing is built before the first use; a pool that
 * somebody closed is replaced by the next generation.
 */
export class DatabaseManager {
  readonly #options: DatabaseManagerOptions
  readonly #now: () => number
  #state: State = { kind: 'idle' }
  #generations = 0
  #lastSuccessAt: number | undefined
  #lastFailureAt: number | undefined
  #lastErrorCode: string | undefined

  constructor(options: DatabaseManagerOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /**
   * The generation that is in use; builds one if there is none. Callers at once share one start, and a start that
   * failed is forgotten. Opens no connection.
   */
  async currentGeneration(): Promise<Generation> {
    const state = this.#state
    switch (state.kind) {
      case 'ready':
        return state.generation
      case 'starting':
        return state.started
      case 'idle':
        return this.#start()
      default:
        return state satisfies never
    }
  }

  /** The live Sequelize instance. It may be replaced at any time: do not keep it. */
  async getSequelize(): Promise<Sequelize> {
    return (await this.currentGeneration()).sequelize
  }

  /**
   * A connection of the current generation. If somebody closed the pool, the next generation is built first and the
   * caller notices nothing. Give it back with `release` or `destroy` of the generation it comes with.
   * @throws whatever acquiring or connecting met, or the signal's reason.
   */
  async acquire(signal?: AbortSignal): Promise<Lease> {
    for (let rebuilds = 0; ; rebuilds += 1) {
      const generation = await this.currentGeneration()
      const acquired = generation.acquire()
      try {
        return { generation, connection: await (signal ? untilAborted(acquired, signal) : acquired) }
      } catch (error) {
        // Whoever stopped waiting must not keep the connection that arrives later.
        acquired.then(
          connection => generation.release(connection),
          () => undefined,
        )
        if (classifyAcquireError(error) !== 'pool-closed' || rebuilds === MAX_REBUILDS) throw error
        this.retire(generation, 'closed')
      }
    }
  }

  /**
   * Proves that the database answers, rebuilding the pool if it was closed.
   * @throws whatever acquiring a connection or the statement met, or the signal's reason.
   */
  async connect(signal?: AbortSignal): Promise<void> {
    let lease: Lease | undefined
    try {
      lease = await this.acquire(signal)
      const answered = lease.connection.query('SELECT 1')
      await (signal ? untilAborted(answered, signal) : answered)
      lease.generation.release(lease.connection)
      this.noteSuccess()
    } catch (error) {
      this.noteFailure(error)
      if (lease) lease.generation.destroy(lease.connection)
      throw error
    }
  }

  /** Whether the database answers a statement within `withinMs`; never rejects. */
  async isConnectionHealthy(withinMs = HEALTH_CHECK_MS): Promise<boolean> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new DeadlineExceededError()), withinMs)
    return this.connect(stop.signal)
      .then(
        () => true,
        () => false,
      )
      .finally(() => clearTimeout(timer))
  }

  getConnectionStatus(): ConnectionStatus {
    return {
      state: this.#state.kind,
      generation: this.#generations,
      pool: { ...(this.#state.kind === 'ready' ? this.#state.generation.counts() : NO_CONNECTIONS), max: this.#options.settings.pool.max },
      lastSuccessAt: this.#lastSuccessAt,
      lastFailureAt: this.#lastFailureAt,
      lastErrorCode: this.#lastErrorCode,
    }
  }

  /** Takes a generation out of use, because it was closed or is beyond repair. A generation already replaced is left alone. */
  retire(generation: Generation, reason: string): void {
    if (this.#state.kind !== 'ready' || this.#state.generation !== generation) return
    this.#state = { kind: 'idle' }
    this.#options.logger.warn({ event: 'database.generation.retired', generation: generation.number, reason })
    generation.close(CLOSE_MS).catch((error: unknown) => this.#options.logger.warn({ event: 'database.close.failed', error }))
  }

  /** Records that the database answered. */
  noteSuccess(): void {
    this.#lastSuccessAt = this.#now()
  }

  /** Records what the database, or the way to it, failed with. */
  noteFailure(error: unknown): void {
    this.#lastFailureAt = this.#now()
    this.#lastErrorCode = errorCode(error) ?? (error instanceof Error ? error.name : typeof error)
  }

  /**
   * Ends the pool: waits for running work, but never longer than `withinMs`, then destroys what is left. The manager
   * stays usable: a later use builds the next generation.
   */
  async gracefulShutdown(withinMs = CLOSE_MS): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'idle' }
    const stop = new AbortController()
    if (state.kind === 'starting') {
      await Promise.race([
        state.started.then(
          generation => generation.close(withinMs),
          () => undefined,
        ),
        wait(withinMs, stop.signal).catch(() => undefined),
      ])
    }
    if (state.kind === 'ready') await state.generation.close(withinMs)
    stop.abort()
    if (state.kind !== 'idle') this.#options.logger.info({ event: 'database.closed', generation: this.#generations })
  }

  #start(): Promise<Generation> {
    const build = this.#options.build ?? buildGeneration
    const number = this.#generations + 1
    const started = build(this.#options.settings, { number, applicationName: this.#options.applicationName })
    const starting: State = { kind: 'starting', started }
    this.#state = starting
    this.#generations = number
    started.then(
      generation => {
        // Only the state this start was made for: a shutdown in between has put another in its place.
        if (this.#state === starting) this.#state = { kind: 'ready', generation }
      },
      () => {
        if (this.#state === starting) this.#state = { kind: 'idle' }
      },
    )
    return started
  }
}
