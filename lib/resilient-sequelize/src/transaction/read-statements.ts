import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { GuardedClient, Send, StatementGuard, Sync } from '../wire/guarded-client.ts'
import { classifyError } from '../errors/classify-error.ts'
import type { Statement } from '../wire/pg-internals.ts'
import { canBePreceded } from '../wire/preceded-query.ts'
import type { Proof } from './proof.ts'
import { effectOf, UnitRecord } from './unit-record.ts'
import { boundedMs, limitSettings, limitsOfStart, serverBound, startStatement, type TransactionLimits } from '../wire/limits.ts'

export interface ReadStatementsOptions {
  /** See `StatementGuard`. */
  keepsParsed: boolean
  deadline: Deadline
  /** Longest wait for the answer to one statement, in ms. */
  statementMs: () => number
  /** On a session that has none of its own. */
  limits: TransactionLimits | undefined
  /** For a connection that has not answered lately. */
  proof?: Proof | undefined
  /** Sends what is to ride behind a COMMIT. */
  behindCommit: (client: GuardedClient) => void
}

/** A statement that ends a transaction has one of these words. */
const MAY_END = /\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE)\b/i
const unheard = () => undefined

/**
 * Reads: each statement is a read-only transaction of its own, all in one flight, so that it costs one trip and the server
 * itself refuses a write, through a pooler as well.
 */
export class ReadStatements implements StatementGuard {
  readonly keepsParsed: boolean
  readonly record = new UnitRecord()
  readonly #deadline: Deadline
  readonly #statementMs: () => number
  readonly #limits: TransactionLimits | undefined
  readonly #proof: Proof | undefined
  readonly #behindCommit: (client: GuardedClient) => void
  /** For each statement that is not answered yet, oldest first: ends its transaction, unless that was sent with it. */
  readonly #ends: (((how: 'COMMIT' | 'ROLLBACK') => void) | undefined)[] = []
  #firstError: unknown
  #spoiledConnection = false
  #sessionEnd: unknown

  constructor({ keepsParsed, deadline, statementMs, limits, proof, behindCommit }: ReadStatementsOptions) {
    this.keepsParsed = keepsParsed
    this.#deadline = deadline
    this.#statementMs = statementMs
    this.#limits = limits
    this.#proof = proof
    this.#behindCommit = behindCommit
  }

  get root(): this {
    return this
  }

  get firstError(): unknown {
    return this.#firstError
  }

  /** Whether a statement met what its connection does not outlive, even if the work has dealt with that. */
  get spoiledConnection(): boolean {
    return this.#spoiledConnection
  }

  /** What ended the session at a transaction's start: the statement behind it only finds the connection gone. */
  get sessionEnd(): unknown {
    return this.#sessionEnd
  }

  around(client: GuardedClient, send: Send, statement: Statement | undefined): void {
    this.#deadline.throwIfPassed()
    // Safe-executed work has less time than the read around it.
    currentDeadline()?.throwIfPassed()
    this.record.throwIfEnded()
    if (statement !== undefined) this.record.noteStatement(statement)
    const boundMs = this.#statementMs()
    // Up to one Sync it is one transaction, which the server ends by itself. Only where the connection has to prove itself
    // something has to be answered before the statement is.
    if ((this.#proof === undefined || this.#proof.isAlive) && statement !== undefined && canBePreceded(statement)) {
      this.#ends.push(undefined)
      send(boundedMs(boundMs), client.settingsBefore({ transaction_read_only: 'on', ...limitSettings(serverBound(boundMs), this.#limits) }))
      this.#behindCommit(client)
      return
    }
    const settings = limitSettings(serverBound(boundMs), this.#limits)
    const start = startStatement('READ ONLY', settings, { session: client.sessionLimits, queries: true })
    // What fails before or behind the statement fails the statement too, and that error is the one to report, unless the
    // connection went with what failed before it.
    const started = this.#proof ? this.#proof.send(client, start) : client.sendRaw(start)
    started.then(
      answer => (client.sessionLimits ??= limitsOfStart(answer)),
      (error: unknown) => {
        this.record.add(error)
        if (classifyError(error).connection === 'drop') this.#sessionEnd ??= error
      },
    )
    const end = (how: 'COMMIT' | 'ROLLBACK') => {
      client.sendRaw(how).catch(unheard)
      this.#behindCommit(client)
    }
    // A text that may end the transaction and begin one that writes is judged before anything is committed.
    const waits = statement === undefined || MAY_END.test(statement.text)
    this.#ends.push(waits ? end : undefined)
    send(boundedMs(boundMs))
    if (!waits) end('COMMIT')
  }

  failed(error: unknown, _what?: 'statement' | 'savepoint', expired = false): void {
    this.record.add(error, expired)
    this.#firstError ??= error
    this.#spoiledConnection ||= classifyError(error).connection === 'drop'
  }

  ended(error: Error): void {
    this.record.end(error)
  }

  synced(sync: Sync): void {
    // Each statement has a transaction of its own: there is nothing to compare.
    const ended = effectOf(sync) !== 'none'
    if (ended) this.record.end()
    this.#ends.shift()?.(ended ? 'ROLLBACK' : 'COMMIT')
  }

  /** What a lost connection left, whatever the work made of that. */
  get doom(): unknown {
    return this.#sessionEnd ?? (this.#spoiledConnection ? this.#firstError : undefined)
  }
}
