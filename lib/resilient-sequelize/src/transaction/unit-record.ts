import { NestedOperationError } from '../errors/errors.ts'
import { classifyError, SESSION_ENDED, type Classification } from '../errors/classify-error.ts'
import { errorChain, LIBRARY_WRAPPINGS, readField } from '../errors/error-chain.ts'
import type { Sync } from '../wire/guarded-client.ts'
import { CLOCK_MS, SERVER_EARLIER_MS, type SessionLimits } from '../wire/limits.ts'
import type { Statement } from '../wire/pg-internals.ts'
import { endsTransaction } from '../wire/sql-tokens.ts'

/** PostgreSQL's settings for time limits, by the SQLSTATE with which the server ends what runs into one. */
const LIMITS: Readonly<Record<string, string>> = {
  '57014': 'statement_timeout',
  '55P03': 'lock_timeout',
  '25P03': 'idle_in_transaction_session_timeout',
  '25P04': 'transaction_timeout',
}
const LIMIT_NAMES = new RegExp(Object.values(LIMITS).join('|'), 'gi')
const SETS = /(?:^|;)\s*(?:SET|RESET)\b|\bset_config\b/i
const CANCELLED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'
// The function of the server that reports lock_timeout; NOWAIT is reported by those that take locks.
const TIMEOUT_ROUTINE = 'ProcessInterrupts'
/**
 * What one unit of work met on its own connection, and what its work did to the transaction. Errors are known by identity:
 * one of another client looks the same, and says nothing about this database.
 */
export class UnitRecord {
  readonly #met = new WeakSet<object>()
  readonly #expired = new WeakSet<object>()
  /** Time limits that the work has set itself. */
  readonly #ownLimits = new Set<string>()
  #ended: NestedOperationError | undefined
  /** Statements that end the transaction, sent and not answered. */
  #ending = 0
  readonly #own = new WeakSet<object>()
  /** The longest time for a statement that the server was given last, in ms; infinite while it is unknown. */
  boundMs = Number.POSITIVE_INFINITY
  /** The session's own time limits, where they are known. */
  sessionLimits: SessionLimits | undefined

  /** Set once the work, and not the unit, has ended the transaction. */
  get ended(): NestedOperationError | undefined {
    return this.#ended
  }

  add(error: unknown, expired = false): void {
    if (typeof error !== 'object' || error === null) return
    this.#met.add(error)
    if (expired) this.#expired.add(error)
  }

  /** Records the error of a statement that the unit itself sent. */
  addOwn(error: unknown, expired: boolean): void {
    this.add(error, expired)
    if (typeof error === 'object' && error !== null) this.#own.add(error)
  }

  /** Whether the error is of a statement that the unit itself sent. */
  isOwn(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#own.has(error)
  }

  /** Whether the connection of this unit reported the error, in whatever words Sequelize put around it. */
  has(error: unknown): boolean {
    return errorChain(error, LIBRARY_WRAPPINGS).some(part => this.#met.has(part))
  }

  /** What an error of this unit means: what the work asked of the server on purpose is its own, and never repeated. */
  judge(error: unknown): Classification {
    const verdict = classifyError(error)
    return this.#isProvoked(error, verdict) ? { ...verdict, transient: false, replay: 'no', onlyIfOptedIn: false, outage: false } : verdict
  }

  /** Reads a statement of the work for time limits that it sets; returns whether it sets one. */
  noteStatement({ text, values = [] }: Statement): boolean {
    if (!SETS.test(text)) return false
    const found = [text, ...values].flatMap(given => (typeof given === 'string' ? (given.match(LIMIT_NAMES) ?? []) : []))
    for (const name of found) this.#ownLimits.add(name.toLowerCase())
    return found.length > 0
  }

  /** Whether the work has set a time limit for its statements, which then stands. */
  get hasOwnTimeout(): boolean {
    return this.#ownLimits.has('statement_timeout')
  }

  /** The time by `performance.now()` at which the server's time limit ends for a statement that the unit itself sends now. */
  expiry(): number {
    return this.hasOwnTimeout ? Number.POSITIVE_INFINITY : performance.now() + this.boundMs - SERVER_EARLIER_MS - CLOCK_MS
  }

  /** Notes a statement that ends the transaction, once it is sent. */
  sendEnd(): void {
    this.#ending += 1
  }

  /** Notes the answer to a statement; returns whether the work has ended the transaction. */
  sync(sync: Sync): boolean {
    if (sync.text !== undefined && endsTransaction(sync.text)) this.#ending -= 1
    if (hasEnded(sync)) this.end()
    return this.#ended !== undefined
  }

  /** Takes a statement whose answer was lost for what it would have done. */
  settle(): void {
    if (this.#ending > 0) this.end()
  }

  /** Fails the unit because its work has ended the transaction. */
  end(cause?: unknown): void {
    this.#ended ??= new NestedOperationError('The transaction of a unit of work is ended by the unit alone: return or throw.', { cause })
  }

  /** The error that a unit fails with whose work has ended the transaction, and then failed with `error`. */
  endedWith(error: unknown): NestedOperationError | undefined {
    if (this.#ended === undefined || this.#ended === error || this.has(error)) return this.#ended
    return new NestedOperationError(this.#ended.message, { cause: error })
  }

  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended
  }

  #isProvoked(error: unknown, { key, code = '' }: Classification): boolean {
    const limit = LIMITS[code]
    if (limit === undefined || key === SESSION_ENDED) return false
    const chain = errorChain(error)
    if (code === LOCK_NOT_AVAILABLE && chain.some(part => readField(part, 'code') === code && readField(part, 'routine') !== TIMEOUT_ROUTINE))
      return true
    // Shorter than the time that the unit gave it: a limit of the work or of the administrator, or a request to cancel it.
    if (code === CANCELLED) return !chain.some(part => this.#expired.has(part))
    // A session that has no limit of its own got it from the work, perhaps through a function.
    return this.#ownLimits.has(limit) || (limit === 'lock_timeout' && this.sessionLimits?.lock_timeout === 0)
  }
}

/** Whether a statement of the work has ended the transaction, as the server's status and the tags of its answers tell. */
export function hasEnded({ status, before, tags, text }: Sync): boolean {
  if (before === 'I') return false
  if (status === 'I' || tags.some(tag => tag !== 'ROLLBACK')) return true
  // The tag of a COMMIT that was refused, and of a way back to a savepoint.
  return tags.length > 0 && (text === undefined || endsTransaction(text))
}
