import type { Logger } from '../telemetry.ts'
import { classifyError } from '../errors/classify-error.ts'

/** What a person is told of an error: whether it may pass by itself, and its code. */
export interface DescribedFailure {
  readonly class: 'transient' | 'permanent' | 'unknown'
  readonly code: string
}

/**
 * Tells the life of a process' connections in lines whose message begins with "Database connection", so that a person can
 * look for just these. What comes again and again while a database is away is told once.
 */
export class ConnectionLog {
  readonly #logger: Logger
  #lost = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** A connection was made and logged in. After a loss only its first answer counts. */
  readonly connected = (generation: number): void => {
    if (!this.#lost) this.#logger.info({ event: 'database.connection.established', generation }, 'Database connection established')
  }

  /** The database answered. */
  answered(generation: number): void {
    if (!this.#lost) return
    this.#lost = false
    this.#logger.info({ event: 'database.connection.restored', generation }, 'Database connection re-established')
  }

  /** The database, or the way to it, failed. */
  failed(error: unknown): void {
    const { outage, crowded, connection } = classifyError(error)
    // A full server is a queue, in which nothing is lost.
    if (this.#lost || crowded || !(outage || connection === 'drop')) return
    this.#lost = true
    this.#logger.warn({ event: 'database.connection.lost', ...describeFailure(error) }, 'Database connection lost')
  }

  /** A connection had died while nobody used it; another takes its place. */
  dead(generation: number): void {
    this.#logger.info({ event: 'database.connection.dead', generation, class: 'transient' }, 'Database connection lost while it was idle')
  }

  /** A pool with its connections was ended. */
  closed(generation: number, reason: 'shutdown' | 'crowded'): void {
    const event = reason === 'crowded' ? 'database.connection.released' : 'database.closed'
    this.#logger.info({ event, generation, reason }, 'Database connection closed')
  }
}

export function describeFailure(error: unknown): DescribedFailure {
  const { key, code, transient } = classifyError(error)
  return { class: key === 'unknown' ? 'unknown' : transient ? 'transient' : 'permanent', code: code ?? key }
}

/** How a line tells of another try to come. */
export function retryMessage(number: number, delayMs: number): string {
  return `Database connection retry ${number} in ${delayMs} ms`
}
