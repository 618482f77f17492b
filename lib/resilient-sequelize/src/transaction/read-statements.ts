import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { GuardedClient, Send, StatementGuard, Sync } from '../wire/guarded-client.ts'
import { classifyError } from '../errors/classify-error.ts'
import { isRefusal } from '../errors/is-refusal.ts'
import { endsTransaction } from '../wire/sql-tokens.ts'
import { defer, type Deferred } from '../../../invocation/src/deferred.ts'
import type { Statement } from '../wire/pg-internals.ts'
import { canBePreceded } from '../wire/preceded-query.ts'
import type { Proof } from './proof.ts'
import { UnitRecord } from './unit-record.ts'
import { boundedMs, limitsIn, serverBound, settingsStatement, startStatement, transactionSettings, type TransactionLimits } from '../wire/limits.ts'

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
  /** Settles when a statement that ends its transaction is answered. */
  #judged: Deferred<void> | undefined
  #firstError: unknown
  #spoiledConnection = false
  #sessionEnd: unknown
  #waitMs = 0

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

  /** Longest wait for the answer to the last statement, in ms. */
  get waitMs(): number {
    return this.#waitMs
  }

  around(client: GuardedClient, send: Send, statement: Statement | undefined): void {
    this.#deadline.throwIfPassed()
    // Safe-executed work has less time than the read around it.
    currentDeadline()?.throwIfPassed()
    this.record.throwIfEnded()
    if (statement !== undefined && this.record.noteStatement(statement)) client.forgetLimits()
    const boundMs = this.#statementMs()
    this.#waitMs = boundMs
    const settings = transactionSettings(client, { boundMs: serverBound(boundMs), limits: this.#limits })
    // Up to one Sync it is one transaction, which the server ends by itself. Only where the connection has to prove itself
    // something has to be answered before the statement is.
    if ((this.#proof === undefined || this.#proof.isAlive) && statement !== undefined && canBePreceded(statement)) {
      this.#ends.push(undefined)
      send(boundedMs(boundMs), client.settingsBefore({ transaction_read_only: 'on', ...settings }))
      this.#behindCommit(client)
      return
    }
    const bound = settingsStatement(settings, client.sessionLimits)
    const start = startStatement('READ ONLY', bound)
    // What fails before or behind the statement fails the statement too, and that error is the one to report, unless the
    // connection went with what failed before it.
    const onError = (error: unknown) => {
      this.record.add(error)
      if (classifyError(error).connection === 'drop') this.#sessionEnd ??= error
    }
    const started = this.#proof ? this.#proof.send(client, start, { onError }) : client.sendRaw(start, undefined, { onError })
    started.then(answer => client.keepLimits(limitsIn(answer)), unheard)
    const end = (how: 'COMMIT' | 'ROLLBACK') => {
      client.sendRaw(how).catch(unheard)
      this.#behindCommit(client)
    }
    // A text that may end the transaction and begin one that writes is judged before anything is committed.
    const ends = statement !== undefined && endsTransaction(statement.text)
    const waits = ends || statement === undefined
    this.#ends.push(waits ? end : undefined)
    if (ends) this.#judge()
    send(boundedMs(boundMs))
    if (!waits) end('COMMIT')
  }

  failed(error: unknown, _what?: 'statement' | 'own', expired = false): void {
    this.record.add(error, expired)
    this.#firstError ??= error
    if (!isRefusal(error)) this.#judged?.resolve()
    this.#spoiledConnection ||= classifyError(error).connection === 'drop'
  }

  ended(error: Error): void {
    this.record.end(error)
  }

  synced(sync: Sync): void {
    const ended = this.record.sync(sync)
    this.#judged?.resolve()
    this.#ends.shift()?.(ended ? 'ROLLBACK' : 'COMMIT')
  }

  /** Whether the transaction of a statement is still open: its connection cannot serve anybody else. */
  get isOpen(): boolean {
    return this.#ends.some(end => end !== undefined)
  }

  // What follows would be in a transaction that the server has not judged yet.
  gate(): Promise<void> | undefined {
    return this.#judged?.promise
  }

  #judge(): void {
    this.record.sendEnd()
    const judged = defer<void>()
    this.#judged = judged
    void judged.promise.then(() => {
      if (this.#judged === judged) this.#judged = undefined
    })
  }

  /** What a lost connection left, whatever the work made of that. */
  get doom(): unknown {
    return this.#sessionEnd ?? (this.#spoiledConnection ? this.#firstError : undefined)
  }
}
