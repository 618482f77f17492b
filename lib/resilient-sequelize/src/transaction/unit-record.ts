import { NestedOperationError } from '../errors/errors.ts'
import { classifyError, SESSION_ENDED, type Classification } from '../errors/classify-error.ts'
import { errorChain, LIBRARY_WRAPPINGS, readField } from '../errors/error-chain.ts'
import type { Sync } from '../wire/guarded-client.ts'
import type { Statement } from '../wire/pg-internals.ts'

/** PostgreSQL's settings for time limits, by the SQLSTATE with which the server ends what runs into one. */
const LIMITS: Readonly<Record<string, string>> = {
  '57014': 'statement_timeout',
  '55P03': 'lock_timeout',
  '25P03': 'idle_in_transaction_session_timeout',
  '25P04': 'transaction_timeout',
}
const LIMIT_NAMES = new RegExp(Object.values(LIMITS).join('|'), 'gi')
const SETS = /\b(?:SET|RESET|set_config)\b/i
const CANCELLED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'
// The function of the server that reports lock_timeout; NOWAIT is reported by those that take locks.
const TIMEOUT_ROUTINE = 'ProcessInterrupts'
/** A ROLLBACK that does not go back to a savepoint. */
const WHOLE_ROLLBACK = /\b(?:ROLLBACK|ABORT)\b(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b)/i

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

  /** Set once the work, and not the unit, has ended the transaction. */
  get ended(): NestedOperationError | undefined {
    return this.#ended
  }

  add(error: unknown, expired = false): void {
    if (typeof error !== 'object' || error === null) return
    this.#met.add(error)
    if (expired) this.#expired.add(error)
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

  /** Reads a statement of the work for time limits that it sets. */
  noteStatement({ text, values = [] }: Statement): void {
    if (!SETS.test(text)) return
    for (const given of [text, ...values]) {
      if (typeof given !== 'string') continue
      for (const [name] of given.matchAll(LIMIT_NAMES)) this.#ownLimits.add(name.toLowerCase())
    }
  }

  /** Whether the work has set a time limit for its statements, which then stands. */
  get hasOwnTimeout(): boolean {
    return this.#ownLimits.has('statement_timeout')
  }

  /** The work has ended the transaction. */
  end(cause?: unknown): void {
    this.#ended ??= new NestedOperationError('The transaction of a unit of work is ended by the unit alone: return or throw.', { cause })
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
    return this.#ownLimits.has(limit)
  }
}

/**
 * How a statement of the work left the transaction: `ended` by it for certain, `unclear` when it may only have gone back to
 * a savepoint.
 */
export function effectOf({ status, before, tags, text }: Sync): 'ended' | 'unclear' | 'none' {
  if (before === 'I') return 'none'
  if (status === 'I' || tags.some(tag => tag !== 'ROLLBACK')) return 'ended'
  if (tags.length === 0 || (text !== undefined && !WHOLE_ROLLBACK.test(text))) return 'none'
  return 'unclear'
}
