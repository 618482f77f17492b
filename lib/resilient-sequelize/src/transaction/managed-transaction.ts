import type { QueryResult } from 'pg'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { defer, type Deferred } from '../../../invocation/src/deferred.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { endsTransaction } from '../wire/sql-tokens.ts'
import type { GuardedClient, StatementGuard, Sync } from '../wire/guarded-client.ts'
import { classifyError } from '../errors/classify-error.ts'
import { isRefusal } from '../errors/is-refusal.ts'
import { TransactionRolledBackError } from '../errors/errors.ts'
import type { Proof } from './proof.ts'
import { throwIfPortalIsOpen } from './open-portal.ts'
import { UnitRecord } from './unit-record.ts'
import {
  limitSettings,
  limitsIn,
  SERVER_EARLIER_MS,
  serverBound,
  setLocal,
  settingsStatement,
  startStatement,
  transactionSettings,
  type SessionLimits,
  type TransactionLimits,
} from '../wire/limits.ts'
import { RAISE } from '../wire/durability.ts'
import { askIdentity, comesBeforeQueries, refusesIdentity, takesNoSnapshot } from '../wire/identity.ts'
import { wasNotSent, type Statement } from '../wire/pg-internals.ts'
import type { TransactionIdentity } from '../wire/session-identity.ts'

export interface ManagedTransactionOptions {
  client: GuardedClient
  deadline: Deadline
  /** See `StatementGuard`; by default they are. */
  keepsParsed?: boolean
  /** What follows `START TRANSACTION`; nothing for an ordinary one, so that a server's own read-only guard stays in force. */
  characteristics?: string
  /** Whether the transaction's identity is read: only what writes has one. */
  identified: boolean
  /** Whether `characteristics` keep it from writing. */
  readOnly?: boolean
  /** Longest wait for the answer to one statement, in ms. */
  statementMs: () => number
  /** Hears of the identity as soon as the server has told it. */
  onIdentity?: ((identity: TransactionIdentity) => void) | undefined
  /** On a session that has none of its own. */
  limits?: TransactionLimits | undefined
  /** For a connection that has not answered lately. */
  proof?: Proof | undefined
  /** Sends what is to ride behind COMMIT, outside of the transaction. */
  behindCommit?: ((client: GuardedClient) => void) | undefined
}

/** How far a transaction has got; after `committing` the server may have committed whatever became of the answer. */
type Phase = 'unsent' | 'open' | 'committing' | 'ended'

// COMMIT may use this share of the time left; the rest is for finding out what became of it.
const COMMIT_SHARE = 0.6
const ROLLBACK_MS = 1_000
// With less time than this left nothing is begun, and nothing committed: what cannot end in time had better not happen,
// while a COMMIT whose answer comes too late leaves the caller without one.
const START_MS = 150
const COMMIT_MS = 250
// Serialization failure and deadlock.
const ENDED_BY_SERVER = ['40001', '40P01']

/**
 * One transaction on one connection. Its start is held back and leaves in one flight with the first statement; the
 * identity rides behind the statements until the first write has been given one; COMMIT goes alone.
 */
export class ManagedTransaction implements StatementGuard {
  readonly record = new UnitRecord()
  readonly #options: ManagedTransactionOptions
  #phase: Phase = 'unsent'
  #firstError: Error | undefined
  #identity: TransactionIdentity | undefined
  #identityAsked: Promise<void> | undefined
  #identityRefused = false
  #startError: unknown
  /** Settles when a statement that ends the transaction is answered: what follows would be in another one. */
  #judged: Deferred<void> | undefined
  /** The session's limits do not hold it yet: its first statement had to come before any query. */
  #unbounded = false
  /** Statements of the work that were sent, and the errors of those that failed. */
  #sent = 0
  readonly #failures: unknown[] = []

  constructor(options: ManagedTransactionOptions) {
    this.#options = options
  }

  get root(): this {
    return this
  }

  get keepsParsed(): boolean {
    return this.#options.keepsParsed ?? true
  }

  /** The time limits of the session that this runs on: a pooler may lend another one to the next. */
  get sessionLimits(): SessionLimits | undefined {
    return this.record.sessionLimits
  }

  get keepsOwnTimeout(): boolean {
    return this.record.hasOwnTimeout
  }

  get identity(): TransactionIdentity | undefined {
    return this.#identity
  }

  /**
   * Whether the server refused to begin it, and not all that came behind: each statement was then one by itself, and may
   * be committed.
   */
  get startRefused(): boolean {
    return isRefusal(this.#startError) && this.#sent > this.#failures.filter(isRefusal).length
  }

  /** Whether the server was asked to commit and has not said no. */
  get mayBeCommitted(): boolean {
    return this.#phase === 'committing' || this.startRefused
  }

  /** Whether the server is known to hold nothing that this transaction wrote: it may not write, or was never given an id. */
  get wroteNothing(): boolean {
    return this.#phase === 'unsent' || (!this.startRefused && (this.#options.readOnly === true || this.#hasNoId))
  }

  get #hasNoId(): boolean {
    return this.#identity?.xid === null
  }

  /** Whether the role may not ask for the identity, which has spoiled the transaction: it has to be tried without. */
  get identityRefused(): boolean {
    return this.#identityRefused
  }

  /** What made it fail: errors that follow from that say nothing by themselves. None once a savepoint took it back. */
  get firstError(): unknown {
    return this.#firstError
  }

  /** What the server, or the loss of the connection, ended it with, whatever the work made of that. */
  get doom(): unknown {
    const verdict = this.#firstError === undefined ? undefined : classifyError(this.#firstError)
    return verdict !== undefined && (ENDED_BY_SERVER.includes(verdict.key) || verdict.connection === 'drop') ? this.#firstError : undefined
  }

  around(client: GuardedClient, send: (timeoutMs: number) => void, statement?: Statement): void {
    const { deadline, identified, statementMs } = this.#options
    deadline.throwIfPassed(this.#phase === 'unsent' ? START_MS : 0)
    // Behind a COMMIT it would be a transaction of its own.
    if (this.#phase === 'committing' || this.#phase === 'ended') throw new Error('the transaction of this statement has ended')
    this.record.throwIfEnded()
    if (statement !== undefined && this.record.noteStatement(statement)) client.forgetLimits()
    const boundMs = statementMs()
    // A savepoint keeps a limit of its own, which ends with it.
    const within = client.guard !== this
    const queries = !(statement !== undefined && comesBeforeQueries(statement.text))
    if (this.#phase === 'unsent') this.#start(client, within ? boundMs : serverBound(boundMs), queries)
    else if (!within) this.#follow(client, serverBound(boundMs), queries)
    else if (this.#unbounded && queries) this.#pin(client)
    if (statement !== undefined && endsTransaction(statement.text)) this.#judge()
    this.#sent += 1
    send(boundMs)
    const asks = identified && (this.#identity?.xid ?? null) === null
    if (asks && !(statement !== undefined && takesNoSnapshot(statement.text))) this.#askIdentity(client)
  }

  get spoiled(): boolean {
    return this.#firstError !== undefined
  }

  trailing(): Promise<void> | undefined {
    return this.#identityAsked
  }

  failed(error: unknown, what: 'statement' | 'own' = 'statement', expired = false): void {
    if (what === 'own') this.record.addOwn(error, expired)
    else {
      this.record.add(error, expired)
      this.#failures.push(error)
    }
    if (!isRefusal(error)) this.#judged?.resolve()
    this.#spoil(error)
  }

  get boundMs(): number {
    return this.record.boundMs
  }

  set boundMs(boundMs: number) {
    this.record.boundMs = boundMs
  }

  expiry(): number {
    return this.record.expiry()
  }

  ended(error: Error): void {
    this.record.end(error)
  }

  synced(sync: Sync): void {
    const ended = this.record.sync(sync)
    this.#judged?.resolve()
    if (ended) return
    // The server has taken back what failed, to a savepoint.
    if (sync.before === 'E' && sync.status === 'T' && isRefusal(this.#firstError)) this.#firstError = undefined
    // With a savepoint go the limits that were set in it.
    if (sync.tags.length > 0) this.boundMs = Number.POSITIVE_INFINITY
  }

  gate(): Promise<void> | undefined {
    return this.#judged?.promise
  }

  // What leaves the transaction as it was, such as a value that pg cannot write, makes nothing else fail.
  #spoil(error: unknown): void {
    const { severity } = error as { severity?: unknown }
    if (severity === undefined && classifyError(error).connection === 'keep') return
    this.#firstError ??= error instanceof Error ? error : new Error('a statement failed', { cause: error })
  }

  /** Returns a function that records the error of a statement that the unit itself sends now. */
  #noteOwn(): (error: unknown) => void {
    const expiry = this.expiry()
    return error => {
      this.record.addOwn(error, performance.now() >= expiry)
      this.#spoil(error)
    }
  }

  /**
   * Commits; `durable` has the commit wait for the disk, whatever the role, the database or the work has set.
   * @throws TransactionRolledBackError when the server answers with ROLLBACK, else what COMMIT met. After any other error
   * than that one, `mayBeCommitted` tells whether the outcome is open.
   */
  async commit({ durable = false }: { durable?: boolean } = {}): Promise<void> {
    const { client, deadline, proof, behindCommit } = this.#options
    if (this.#phase === 'unsent') {
      this.#phase = 'ended'
      return
    }
    // A write that the work did not wait for is still on its way, and its identity with it.
    if (this.#identityAsked !== undefined) await untilAborted(this.#identityAsked, deadline.signal)
    if (proof !== undefined) await untilAborted(proof.settled(), deadline.signal)
    if (this.#judged !== undefined) await untilAborted(this.#judged.promise, deadline.signal)
    this.record.throwIfEnded()
    throwIfPortalIsOpen(client)
    if (isRefusal(this.#startError)) throw this.#firstError ?? new Error('the server refused to begin')
    // Over a connection that is known to be gone nothing is sent: what was not asked for cannot have been committed.
    if (this.#firstError !== undefined && classifyError(this.#firstError).connection === 'drop') throw this.#firstError
    deadline.throwIfPassed(COMMIT_MS)
    this.#phase = 'committing'
    const expiry = this.expiry()
    let answer: QueryResult | QueryResult[]
    try {
      // In the flight of COMMIT: the work has had its last word. The server's refusal of it is told by COMMIT as well.
      if (durable && !this.#hasNoId && !this.spoiled) client.sendRaw(RAISE, undefined, { again: true, onError: this.#noteOwn() }).catch(unheard)
      const answered = client.sendRaw('COMMIT', undefined, { timeoutMs: deadline.remainingMs() * COMMIT_SHARE })
      behindCommit?.(client)
      answer = await answered
    } catch (error) {
      this.record.add(error, performance.now() >= expiry)
      // A server that refuses and goes on has committed nothing. When the connection ends instead, that is open.
      if (isRefusal(error) || wasNotSent(error)) this.#phase = 'ended'
      throw error
    }
    this.#phase = 'ended'
    // A query object of the work has ended the transaction ahead of the COMMIT.
    this.record.throwIfEnded()
    if (Array.isArray(answer) || answer.command !== 'COMMIT') {
      const rolledBack = new TransactionRolledBackError({ cause: this.#firstError })
      this.record.add(rolledBack)
      throw rolledBack
    }
  }

  /** Takes everything back; resolves to whether the connection is clean afterwards. */
  async rollBack(): Promise<boolean> {
    const { client, deadline } = this.#options
    if (this.#phase === 'committing') return false
    const unsent = this.#phase === 'unsent'
    this.#phase = 'ended'
    if (unsent) return true
    // It would wait for the end of what is open.
    if (!client.pipeline) return false
    try {
      await client.sendRaw('ROLLBACK', undefined, { timeoutMs: Math.max(1, Math.min(ROLLBACK_MS, deadline.remainingMs())) })
      return client.getTransactionStatus() === 'I'
    } catch {
      return false
    }
  }

  #start(client: GuardedClient, boundMs: number, queries: boolean): void {
    this.#phase = 'open'
    const { characteristics, proof } = this.#options
    this.record.sessionLimits = client.sessionLimits
    this.#unbounded = client.sessionLimits === undefined && !queries
    const bound = this.#unbounded ? '' : this.#bound(client, boundMs)
    const start = startStatement(characteristics, bound)
    const onError = (error: unknown) => {
      // Refused alone, as by a cancel request: what follows in the same flight is then committed by itself.
      this.#startError = error
      this.record.add(error)
      this.#spoil(error)
    }
    const started = proof ? proof.send(client, start, { onError }) : client.sendRaw(start, undefined, { onError })
    started.then(answer => this.#learnLimits(client, answer), unheard)
  }

  // In the flight of a statement that is sent anyway, and only once the last limit is not the right one any more.
  #follow(client: GuardedClient, boundMs: number, queries: boolean): void {
    if (this.sessionLimits === undefined && !queries) return
    if (this.record.hasOwnTimeout) {
      if (this.#unbounded) this.#pin(client)
      this.#unbounded = false
      return
    }
    // A limit that is lower than this one would end the statement early.
    const excessMs = this.boundMs - boundMs
    if (!this.#unbounded && excessMs >= 0 && excessMs <= SERVER_EARLIER_MS) return
    const onError = this.#noteOwn()
    const bound = this.#bound(client, boundMs)
    this.#unbounded = false
    if (bound === '') return
    client.sendRaw(bound, undefined, { onError }).then(answer => this.#learnLimits(client, answer), unheard)
  }

  // What the session may lack, where the bound has not brought it along.
  #pin(client: GuardedClient): void {
    const pins = setLocal(client.pins({ pooled: this.#options.limits !== undefined })).join('; ')
    if (pins !== '') client.sendRaw(pins, undefined, { onError: this.#noteOwn() }).catch(unheard)
  }

  #bound(client: GuardedClient, boundMs: number): string {
    this.boundMs = boundMs
    const isFirst = this.#phase === 'unsent' || this.#sent === 0 || this.#unbounded
    const { limits } = this.#options
    const settings = isFirst ? transactionSettings(client, { boundMs, limits }) : limitSettings(boundMs, undefined)
    return settingsStatement(settings, this.sessionLimits ?? client.sessionLimits)
  }

  #learnLimits(client: GuardedClient, answer: unknown): void {
    const limits = limitsIn(answer)
    this.record.sessionLimits ??= limits
    client.keepLimits(limits)
  }

  #judge(): void {
    this.record.sendEnd()
    const judged = defer<void>()
    this.#judged = judged
    void judged.promise.then(() => {
      if (this.#judged === judged) this.#judged = undefined
    })
  }

  #askIdentity(client: GuardedClient): void {
    // Within a savepoint its failure is the savepoint's, as the statement's before it is; a lost connection is lost for all.
    const own = client.guard === this
    const noteOwn = this.#noteOwn()
    // It fails with the statement before it or with the connection, because this role may not ask, or for lack of time.
    const onError = (error: unknown) => {
      this.#identityRefused ||= refusesIdentity(error)
      if (own || classifyError(error).connection === 'drop') noteOwn(error)
    }
    const asked = askIdentity(client, { onError })
      .then(identity => {
        if (identity === undefined) return
        this.#keepIdentity(identity)
        this.#options.onIdentity?.(identity)
      }, unheard)
      .finally(() => {
        if (this.#identityAsked === asked) this.#identityAsked = undefined
      })
    this.#identityAsked = asked
  }

  // Another transaction than before: a statement of the work has ended that one.
  #keepIdentity(identity: TransactionIdentity): void {
    if (this.#identity !== undefined && this.#identity.transactionStart !== identity.transactionStart) this.record.end()
    this.#identity = identity
  }
}

// `onError` handles the error.
const unheard = () => undefined
