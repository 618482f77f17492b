import { AsyncLocalStorage } from 'node:async_hooks'
import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { backoffMs } from '../../../invocation/src/backoff.ts'
import { createCircuitBreaker, type BreakerState, type CircuitBreaker } from '../../../invocation/src/circuit-breaker.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { beforeInvocationEnds } from '../../../invocation/src/invocation-scope.ts'
import { untilAborted, wait } from '../../../invocation/src/wait.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import { ConnectionLog } from './connection-log.ts'
import { CrowdingGuard } from './crowding-guard.ts'
import { classifyError, errorCode } from '../errors/classify-error.ts'
import { DatabaseBusyError, ShutDownError } from '../errors/errors.ts'
import { noCounter, silentLogger, type Counter, type Logger } from '../telemetry.ts'
import { processIdOf } from '../wire/pg-internals.ts'
import type { Generation, PoolCounts } from './generation.ts'
import { keepConnected } from './keep-connected.ts'
import type { Profile } from './profile.ts'
import { leaseOf, type Lease } from './lease.ts'

/** What a pool is to be like; everything else about it belongs to the Sequelize instance that it is built on. */
export interface BuildOptions {
  readonly number: number
  /** Whether the sessions are a pooler's. */
  readonly pooled: boolean
  /** Whether a caller waits for a connection already: it may be begun before the rest is loaded. */
  readonly connecting: boolean
  /** Whether `close()` was called before. */
  readonly afterClose: boolean
  /** Called for each connection that is made. */
  readonly connected: (generation: number) => void
}

/** Builds a pool; asynchronously where Sequelize has to be loaded first. */
export type BuildGeneration = (options: BuildOptions) => Generation | Promise<Generation>

export interface PoolManagerOptions {
  profile: Profile
  /** Whether the database is reached through a pooler that lends a server's session for one transaction at a time. */
  pooled?: boolean | undefined
  /** Operations slower than this (ms) are logged. */
  slowOperationMs?: number | undefined
  build: BuildGeneration
  logger?: Logger | undefined
  counters?: Counter | undefined
  /** Sends what is to ride behind a COMMIT. */
  behindCommit?: ((client: GuardedClient) => void) | undefined
  now?: (() => number) | undefined
}

/** What may be told about the connection; holds neither host nor user. */
export interface ConnectionStatus {
  readonly state: State['kind']
  /** How often the pool has been built in this container; 0 before the first use. */
  readonly generation: number
  readonly pool: PoolCounts & { readonly max: number }
  readonly breaker: BreakerState['kind']
  /** Epoch ms. */
  readonly lastSuccessAt: number | undefined
  /** Epoch ms. */
  readonly lastFailureAt: number | undefined
  readonly lastErrorCode: string | undefined
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly started: Promise<Generation> }
  | { readonly kind: 'ready'; readonly generation: Generation }

// How long an old pool may take to end politely before its sockets are destroyed.
const CLOSE_MS = 2_000
// Taken from the time that is kept back for answering.
const MAKE_ROOM_MS = 200
const HEALTH_CHECK_MS = 3_000
// Whoever holds the connections is at work, and soon done.
const QUEUE_RETRY_AFTER_MS = 1_000
const QUEUE = { firstMs: 50, longestMs: 1_000 }
// What says that there is a pooler: it refuses the options that a direct connection starts with.
const POOLER_REFUSES = '08P01:startup-parameter'
// Code that closes every pool as soon as it is built would otherwise keep a caller here for ever.
const MAX_REBUILDS = 5
const OUTAGES_TO_OPEN = 2
const SLOW_OPERATION_MS = 1_000
const outside = AsyncLocalStorage.snapshot()
const NO_CONNECTIONS: PoolCounts = { size: 0, idle: 0, inUse: 0, waiting: 0 }

/**
 * Owns the life of the pool. Nothing is built before the first use; a pool that was closed or died is replaced by the next
 * generation.
 */
export class PoolManager {
  readonly breaker: CircuitBreaker
  readonly now: () => number
  /** Tells the life of the connections. */
  readonly log: ConnectionLog
  /** `undefined` where connections are a pooler's, or a long-lived process's own. */
  readonly #crowding: CrowdingGuard | undefined
  readonly #options: PoolManagerOptions
  readonly #logger: Logger
  readonly #counters: Counter
  #state: State = { kind: 'idle' }
  #generations = 0
  #identifiesTransactions = true
  #hasIdentified = false
  #pooled: boolean
  #lastSuccessAt: number | undefined
  #lastFailureAt: number | undefined
  #lastErrorCode: string | undefined
  #background: AbortController | undefined
  #closedBefore = false
  #shutDown = false

  constructor(options: PoolManagerOptions) {
    const { profile, pooled = false, logger = silentLogger, counters = noCounter, now = Date.now } = options
    this.#options = options
    this.#logger = logger
    this.#counters = counters
    this.#pooled = pooled
    this.now = now
    this.log = new ConnectionLog(logger)
    const { crowdedAt, breakerCooldownMs } = profile
    if (crowdedAt !== undefined) this.#crowding = new CrowdingGuard({ crowdedAt, logger, now })
    this.breaker = createCircuitBreaker({
      threshold: OUTAGES_TO_OPEN,
      cooldownMs: breakerCooldownMs,
      now,
      onChange: kind => {
        logger[kind === 'closed' ? 'info' : 'warn']({ event: 'database.breaker.changed', state: kind })
        counters.add('breaker-changes', kind)
      },
    })
  }

  /** Operations slower than this (ms) are logged. */
  get slowOperationMs(): number {
    return this.#options.slowOperationMs ?? SLOW_OPERATION_MS
  }

  /** Sends what is due behind the COMMIT that was just sent: the crowding guard's look, and what this was given to send. */
  readonly sendBehindCommit = (client: GuardedClient): void => {
    if (!this.#pooled) this.#crowding?.look(client)
    this.#options.behindCommit?.(client)
  }

  /**
   * Takes note of the session that a transaction says it runs on. Only a pooler announces another than that, even one
   * that drops start-up options without a word.
   */
  readonly noteSession = ({ generation, connection }: Lease, pid: number): void => {
    this.#hasIdentified = true
    connection.noteSession(pid)
    if (processIdOf(connection) === pid || generation.transactionLimits !== undefined) return
    this.#pooled = true
    generation.takeForPooled()
    this.#logger.info({ event: 'database.pooler.found', generation: generation.number })
  }

  /**
   * The generation that is in use; builds one if there is none. Callers at once share one start, and a start that
   * failed is forgotten. Opens no connection.
   */
  async currentGeneration(): Promise<Generation> {
    return this.#generation({ connecting: false })
  }

  /** The generation that is in use, if there is one; builds none. */
  get generation(): Generation | undefined {
    return this.#state.kind === 'ready' ? this.#state.generation : undefined
  }

  // Whoever is about to ask for a connection has it begun with the first generation, while that is still being loaded.
  async #generation({ connecting }: { connecting: boolean }): Promise<Generation> {
    if (this.#shutDown) throw new ShutDownError()
    const state = this.#state
    switch (state.kind) {
      case 'ready':
        return state.generation
      case 'starting':
        return state.started
      case 'idle':
        return this.#start(connecting && this.#generations === 0)
      default:
        return state satisfies never
    }
  }

  /**
   * A connection of the current generation. If somebody closed the pool, the next generation is built first and the
   * caller notices nothing.
   * @throws whatever acquiring or connecting met, or the signal's reason.
   */
  async acquire(signal?: AbortSignal): Promise<Lease> {
    if (this.#crowding) beforeInvocationEnds(this, () => this.#makeRoom())
    for (let rebuilds = 0; ; rebuilds += 1) {
      const generation = await this.#generation({ connecting: true })
      // All are taken: the caller waits for others of this process, not for the database.
      const queued = generation.claimed >= this.#options.profile.pool.max
      const acquired = generation.acquire()
      try {
        return leaseOf(generation, await (signal ? untilAborted(acquired, signal) : acquired), queued)
      } catch (error) {
        // Whoever stopped waiting must not keep the connection that arrives later.
        generation.abandon(acquired)
        if (signal?.aborted) throw queued ? new DatabaseBusyError({ retryAfterMs: QUEUE_RETRY_AFTER_MS, cause: error }) : error
        const { key, connection } = classifyError(error)
        if (key === POOLER_REFUSES && generation.sendsOptions) this.#pooled = true
        else if (connection !== 'rebuild' || rebuilds === MAX_REBUILDS) throw error
        this.retire(generation, connection === 'rebuild' ? 'closed' : 'behind a pooler')
      }
    }
  }

  /**
   * Proves that the database answers, or builds the pool anew and proves that, also while the circuit breaker is open:
   * for people and health checks. Success closes the breaker.
   * @throws whatever the last look met, or the signal's reason.
   */
  async connect(signal = currentDeadline()?.signal): Promise<void> {
    await this.look(signal, askForSign)
  }

  /**
   * Has `ask` put its questions to the database over a connection of the pool, and proves or rebuilds that as `connect`
   * does. Its first answer is the proof; `ask` bounds itself and may be called again.
   * @throws whatever the last look met, or the signal's reason.
   */
  async look<Seen>(signal: AbortSignal | undefined, ask: (client: GuardedClient) => Promise<Seen>): Promise<Seen> {
    const generation = await this.currentGeneration()
    try {
      // One dead connection is dropped, and says nothing yet of those that others are using.
      return await this.#askInTurn(signal, ask).catch((error: unknown) =>
        signal?.aborted ? Promise.reject(error as Error) : this.#askInTurn(signal, ask),
      )
    } catch (error) {
      if (signal?.aborted || classifyError(error).connection === 'none') throw error
      this.retire(generation, 'unusable')
      return await this.#ask(signal, ask)
    }
  }

  /**
   * Whether the database answers a statement within `withinMs`; never rejects. A pool whose connections are all at work
   * is taken for healthy: what they meet, their own work will tell.
   */
  async isConnectionHealthy(withinMs = HEALTH_CHECK_MS): Promise<boolean> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new DeadlineExceededError()), withinMs)
    return this.connect(stop.signal)
      .then(
        () => true,
        (error: unknown) => error instanceof DatabaseBusyError && this.breaker.state.kind === 'closed',
      )
      .finally(() => clearTimeout(timer))
  }

  getConnectionStatus(): ConnectionStatus {
    return {
      state: this.#state.kind,
      generation: this.#generations,
      pool: { ...(this.#state.kind === 'ready' ? this.#state.generation.counts() : NO_CONNECTIONS), max: this.#options.profile.pool.max },
      breaker: this.breaker.state.kind,
      lastSuccessAt: this.#lastSuccessAt,
      lastFailureAt: this.#lastFailureAt,
      lastErrorCode: this.#lastErrorCode,
    }
  }

  /** Takes a generation out of use, because it was closed or is beyond repair. A generation already replaced is left alone. */
  retire(generation: Generation, reason: string): void {
    if (this.#state.kind !== 'ready' || this.#state.generation !== generation) return
    this.#state = { kind: 'idle' }
    this.#logRetired(generation, reason)
    generation.close(CLOSE_MS).catch((error: unknown) => this.#logger.warn({ event: 'database.close.failed', error }))
  }

  /** Whether transactions that write are asked for their identity; not where the role may not ask. */
  get identifiesTransactions(): boolean {
    return this.#identifiesTransactions
  }

  /** Whether a transaction's identity was read before, so that the role is known to be allowed to. */
  get hasIdentified(): boolean {
    return this.#hasIdentified
  }

  stopIdentifyingTransactions(): void {
    if (!this.#identifiesTransactions) return
    this.#identifiesTransactions = false
    this.#logger.warn({
      event: 'database.identity.refused',
      hint: 'The role may not read what identifies a transaction, such as pg_control_checkpoint(): a lost COMMIT cannot be decided.',
    })
  }

  /** Records that a connection from the pool turned out to be dead. */
  noteDeadConnection(): void {
    this.log.dead(this.#generations)
    this.#counters.add('revalidations-failed')
  }

  /** Records that the database answered. */
  noteSuccess(): void {
    this.#lastSuccessAt = this.now()
    this.log.answered(this.#generations)
  }

  /** Records what the database, or the way to it, failed with. */
  noteFailure(error: unknown): void {
    this.#lastFailureAt = this.now()
    this.log.failed(error)
    const { crowded, connection } = classifyError(error)
    // A wait for others of this process says nothing about the server.
    if (crowded && connection === 'none') this.#crowding?.noteFull()
    this.#lastErrorCode = errorCode(error) ?? (error instanceof Error ? error.name : typeof error)
  }

  /**
   * Retires the pool: resolves when its work has ended, or after `withinMs`. `except` connections that the caller itself
   * holds are not waited for. Work that is running ends undisturbed; a later use builds the next generation.
   */
  async close(withinMs = CLOSE_MS, { except = 0 }: { except?: number } = {}): Promise<void> {
    const state = this.#leave()
    this.#closedBefore = true
    const generation = state.kind === 'starting' ? await state.started.catch(() => undefined) : state.kind === 'ready' ? state.generation : undefined
    if (generation === undefined) return
    this.#logRetired(generation, 'closed')
    await generation.retire(withinMs, { except })
  }

  /**
   * Ends the pool: waits for running work, but never longer than `withinMs`, then destroys what is left. The manager
   * stays usable: a later use builds the next generation.
   */
  async end(withinMs = CLOSE_MS): Promise<void> {
    const state = this.#leave()
    if (state.kind === 'starting') {
      const stop = new AbortController()
      const closed = state.started.then(
        generation => generation.close(withinMs),
        () => undefined,
      )
      await Promise.race([closed, wait(withinMs, stop.signal).catch(() => undefined)])
      stop.abort()
    }
    if (state.kind === 'ready') await state.generation.close(withinMs)
    if (state.kind !== 'idle') this.log.closed(this.#generations, 'shutdown')
  }

  /** Ends the pool as `end` does, and for good: later calls are refused with `shut-down`. */
  async gracefulShutdown(withinMs = CLOSE_MS): Promise<void> {
    this.#shutDown = true
    await this.end(withinMs)
  }

  #logRetired({ number }: Generation, reason: string): void {
    this.#logger.warn({ event: 'database.generation.retired', generation: number, reason }, 'Database connection pool retired')
  }

  #leave(): State {
    const state = this.#state
    this.#state = { kind: 'idle' }
    this.#background?.abort()
    this.#background = undefined
    return state
  }

  #start(connecting: boolean): Generation | Promise<Generation> {
    const number = this.#generations + 1
    if (number > 1) this.#counters.add('rebuilds')
    const built = this.#options.build({
      number,
      pooled: this.#pooled,
      connecting,
      afterClose: this.#closedBefore,
      connected: this.log.connected,
    })
    this.#generations = number
    this.#keepConnected()
    if (!(built instanceof Promise)) {
      this.#state = { kind: 'ready', generation: built }
      return built
    }
    const starting: State = { kind: 'starting', started: built }
    this.#state = starting
    built.then(
      generation => {
        // Only the state this start was made for: a shutdown in between has put another in its place.
        if (this.#state === starting) this.#state = { kind: 'ready', generation }
      },
      () => {
        if (this.#state === starting) this.#state = { kind: 'idle' }
      },
    )
    return built
  }

  // The container may be paused right after the answer, and cannot close a connection then.
  async #makeRoom(): Promise<void> {
    const stop = new AbortController()
    const bound = wait(MAKE_ROOM_MS, stop.signal).catch(() => undefined)
    await Promise.race([this.#crowding?.seen(), bound])
    if (this.#crowding?.crowded && this.#state.kind === 'ready') {
      const { generation } = this.#state
      if (generation.counts().idle > 0) {
        this.#counters.add('crowded-releases')
        this.log.closed(generation.number, 'crowded')
      }
      await Promise.race([generation.closeIdle(), bound])
    }
    stop.abort()
  }

  #keepConnected(): void {
    const { background } = this.#options.profile
    const logger = this.#logger
    if (background === undefined || this.#background !== undefined) return
    this.#background = new AbortController()
    // Not in the scope of the call that happened to come first: its deadline is not the background's.
    const { signal } = this.#background
    void outside(() => keepConnected({ ...background, manager: this, logger, signal }))
  }

  // A full server is a queue for whoever can wait.
  async #askInTurn<Seen>(signal: AbortSignal | undefined, ask: (client: GuardedClient) => Promise<Seen>): Promise<Seen> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#ask(signal, ask)
      } catch (error) {
        if (signal === undefined || signal.aborted || !classifyError(error).crowded) throw error
        await wait(backoffMs(tries, QUEUE), signal).catch(() => Promise.reject(error as Error))
      }
    }
  }

  async #ask<Seen>(signal: AbortSignal | undefined, ask: (client: GuardedClient) => Promise<Seen>): Promise<Seen> {
    let lease: Lease | undefined
    try {
      lease = await this.acquire(signal)
      const answered = ask(lease.connection)
      const seen = await (signal ? untilAborted(answered, signal) : answered)
      lease.release()
      this.noteSuccess()
      this.breaker.close()
      return seen
    } catch (error) {
      this.noteFailure(error)
      lease?.destroy()
      throw error
    }
  }
}

async function askForSign(client: GuardedClient): Promise<void> {
  await client.sendRaw('SELECT 1', undefined, { timeoutMs: HEALTH_CHECK_MS })
}
