import { AsyncLocalStorage } from 'node:async_hooks'
import type { Sequelize } from 'sequelize'
import type { DatabaseSettings } from '../../../config/settings/database.ts'
import { DeadlineExceededError } from '../../../errors.ts'
import { backoffMs } from '../../../invocation/src/backoff.ts'
import { createCircuitBreaker, type BreakerState, type CircuitBreaker } from '../../../invocation/src/circuit-breaker.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { beforeInvocationEnds } from '../../../invocation/src/invocation-scope.ts'
import { untilAborted, wait } from '../../../invocation/src/wait.ts'
import type { Counters } from '../../../telemetry/counters.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import type { GuardedClient } from '../wire/client.ts'
import { ConnectionLog } from './connection-log.ts'
import { CrowdingGuard } from './crowding-guard.ts'
import { classifyError, errorCode } from '../errors/classify-error.ts'
import { DatabaseBusyError } from '../errors/errors.ts'
import { buildGeneration, type Generation, type PoolCounts } from './generation.ts'
import { keepConnected } from './keep-connected.ts'
import { leaseOf, type Lease } from './lease.ts'

export interface DatabaseManagerOptions {
  settings: DatabaseSettings
  /** Shown by the server for each session; says which function holds it. */
  applicationName: string
  /** How long an invocation may take at most, in ms. */
  timeLimitMs?: number
  logger: Logger
  counters?: Pick<Counters, 'add'>
  /** Sends what is to ride behind a COMMIT. */
  behindCommit?: (client: GuardedClient) => void
  now?: () => number
  build?: typeof buildGeneration
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
// Somebody who closes every pool as soon as it is built would otherwise keep a caller here for ever.
const MAX_REBUILDS = 5
const OUTAGES_TO_OPEN = 2
// The longest limit that project.yml gives a function.
const LONGEST_TIME_LIMIT_MS = 60_000
const outside = AsyncLocalStorage.snapshot()
const NO_CONNECTIONS: PoolCounts = { size: 0, idle: 0, inUse: 0, waiting: 0 }

/**
 * Owns the life of the pool: one per bundle, in module scope. Nothing is built before the first use; a pool that
 * somebody closed is replaced by the next generation.
 */
export class DatabaseManager {
  readonly breaker: CircuitBreaker
  readonly now: () => number
  /** Tells the life of the connections. */
  readonly log: ConnectionLog
  /** `undefined` where connections are a pooler's, or a long-lived process's own. */
  readonly #crowding: CrowdingGuard | undefined
  readonly #options: DatabaseManagerOptions
  #state: State = { kind: 'idle' }
  #generations = 0
  readonly #built = new WeakSet<Generation>()
  #identifiesTransactions = true
  #pooled: boolean
  #lastSuccessAt: number | undefined
  #lastFailureAt: number | undefined
  #lastErrorCode: string | undefined
  #background: AbortController | undefined

  constructor(options: DatabaseManagerOptions) {
    this.#options = options
    this.#pooled = options.settings.pooled
    this.now = options.now ?? Date.now
    this.log = new ConnectionLog(options.logger)
    const { crowdedAt } = options.settings.profile
    if (crowdedAt !== undefined) this.#crowding = new CrowdingGuard({ crowdedAt, logger: options.logger, now: this.now })
    this.breaker = createCircuitBreaker({
      threshold: OUTAGES_TO_OPEN,
      cooldownMs: options.settings.profile.breakerCooldownMs,
      now: this.now,
      onChange: kind => {
        options.logger[kind === 'closed' ? 'info' : 'warn']({ event: 'database.breaker.changed', state: kind })
        options.counters?.add('breaker-changes', kind)
      },
    })
  }

  /** Whether a generation, in use or retired, is one of this manager's. */
  owns(generation: Generation): boolean {
    return this.#built.has(generation)
  }

  /** An operation that takes longer is told of, in ms. */
  get slowOperationMs(): number {
    return this.#options.settings.slowOperationMs
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
    connection.noteSession(pid)
    const { processID } = connection as unknown as { processID: number | null }
    if (processID === pid || generation.transactionLimits !== undefined) return
    this.#pooled = true
    generation.takeForPooled()
    this.#options.logger.info({ event: 'database.pooler.found', generation: generation.number })
  }

  /**
   * The generation that is in use; builds one if there is none. Callers at once share one start, and a start that
   * failed is forgotten. Opens no connection.
   */
  async currentGeneration(): Promise<Generation> {
    return this.#generation({ connecting: false })
  }

  // Whoever is about to ask for a connection has it begun with the first generation, while that is still being loaded.
  async #generation({ connecting }: { connecting: boolean }): Promise<Generation> {
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

  /** The live Sequelize instance. It may be replaced at any time: do not keep it. */
  async getSequelize(): Promise<Sequelize> {
    return (await this.currentGeneration()).sequelize
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
      const queued = generation.claimed >= this.#options.settings.profile.pool.max
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
      pool: { ...(this.#state.kind === 'ready' ? this.#state.generation.counts() : NO_CONNECTIONS), max: this.#options.settings.profile.pool.max },
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
    this.#options.logger.warn({ event: 'database.generation.retired', generation: generation.number, reason }, 'Database connection pool retired')
    generation.close(CLOSE_MS).catch((error: unknown) => this.#options.logger.warn({ event: 'database.close.failed', error }))
  }

  /** Whether transactions that write are asked for their identity; not where the role may not ask. */
  get identifiesTransactions(): boolean {
    return this.#identifiesTransactions
  }

  stopIdentifyingTransactions(): void {
    this.#identifiesTransactions = false
    this.#options.logger.warn({
      event: 'database.identity.refused',
      hint: 'The role may not run pg_control_checkpoint(): a lost COMMIT cannot be decided.',
    })
  }

  /** Records that a connection from the pool turned out to be dead. */
  noteDeadConnection(): void {
    this.log.dead(this.#generations)
    this.#options.counters?.add('revalidations-failed')
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
   * Ends the pool: waits for running work, but never longer than `withinMs`, then destroys what is left. The manager
   * stays usable: a later use builds the next generation.
   */
  async gracefulShutdown(withinMs = CLOSE_MS): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'idle' }
    this.#background?.abort()
    this.#background = undefined
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

  #start(connecting: boolean): Promise<Generation> {
    const { settings, applicationName, timeLimitMs = LONGEST_TIME_LIMIT_MS, build = buildGeneration, counters } = this.#options
    const number = this.#generations + 1
    if (number > 1) counters?.add('rebuilds')
    const { now, log } = this
    const options = { number, applicationName, transactionIdleMs: timeLimitMs, pooled: this.#pooled, connecting, now, connected: log.connected }
    const started = build(settings, options)
    const starting: State = { kind: 'starting', started }
    this.#state = starting
    this.#generations = number
    this.#keepConnected()
    started.then(
      generation => {
        this.#built.add(generation)
        // Only the state this start was made for: a shutdown in between has put another in its place.
        if (this.#state === starting) this.#state = { kind: 'ready', generation }
      },
      () => {
        if (this.#state === starting) this.#state = { kind: 'idle' }
      },
    )
    return started
  }

  // The container may be paused right after the answer, and cannot close a connection then.
  async #makeRoom(): Promise<void> {
    const stop = new AbortController()
    const bound = wait(MAKE_ROOM_MS, stop.signal).catch(() => undefined)
    await Promise.race([this.#crowding?.seen(), bound])
    if (this.#crowding?.crowded && this.#state.kind === 'ready') {
      const { generation } = this.#state
      if (generation.counts().idle > 0) {
        this.#options.counters?.add('crowded-releases')
        this.log.closed(generation.number, 'crowded')
      }
      await Promise.race([generation.closeIdle(), bound])
    }
    stop.abort()
  }

  #keepConnected(): void {
    const { settings, logger } = this.#options
    const { background } = settings.profile
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
