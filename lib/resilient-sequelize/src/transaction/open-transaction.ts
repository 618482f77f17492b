import type { Deadline } from '../../../invocation/src/deadline.ts'
import { classifyError } from '../errors/classify-error.ts'
import { isRefusal } from '../errors/is-refusal.ts'
import type { GuardedClient, Send, StatementGuard, Sync } from '../wire/guarded-client.ts'
import { RAISE } from '../wire/durability.ts'
import { askIdentity, refusesIdentity, takesNoSnapshot } from '../wire/identity.ts'
import type { Statement } from '../wire/pg-internals.ts'
import { ANSWER_EARLIER_MS, boundedMs, setLocal } from '../wire/limits.ts'
import type { TransactionIdentity } from '../wire/session-identity.ts'
import { hasEnded } from './unit-record.ts'

export interface OpenTransactionOptions {
  /** Bounds each statement; without one only the end of the connection ends the wait. */
  deadline: Deadline | undefined
  /** Longest wait for the answer to START TRANSACTION on a connection that has not answered lately, in ms. */
  proofMs: number | undefined
  /** Whether the transaction's identity is read; `tried` once a role was seen to be allowed to. */
  identity: 'no' | 'untried' | 'tried'
  /** Receives the identity as soon as the server has told it. */
  onIdentity: (identity: TransactionIdentity) => void
  /** Called when the role may not read the identity. */
  onIdentityRefused: () => void
  /** Whether the sessions are a pooler's. */
  pooled: boolean
  /** Whether COMMIT waits for the disk, whatever the role, the database or the application has set. */
  durable: boolean
  /** Sends what is to ride behind COMMIT. */
  behindCommit: (client: GuardedClient) => void
}

// The first time the identity is read inside of a savepoint, so that a role that may not read it loses no transaction.
const SAVEPOINT = 'resilient_identity'
const ignore = () => undefined

/**
 * Watches a transaction that Sequelize itself begins and ends, statement by statement: bounds the answers, reads the
 * identity behind the statements until the first write has been given one, and remembers what failed first.
 */
export class OpenTransaction implements StatementGuard {
  readonly #options: OpenTransactionOptions
  #state: 'starting' | 'open' | 'committing' | 'rolling-back' = 'starting'
  #firstError: unknown
  #statements = 0
  #identity: TransactionIdentity | undefined
  /** How many statements the identity covers. */
  #identifiedStatements = 0
  #identityAsked: Promise<void> | undefined
  #stopsAsking = false
  #commitSent = false
  #isPinned = false
  #endedBy: string | undefined

  constructor(options: OpenTransactionOptions) {
    this.#options = options
    this.#stopsAsking = options.identity === 'no'
  }

  get root(): this {
    return this
  }

  get identity(): TransactionIdentity | undefined {
    return this.#identity
  }

  get firstError(): unknown {
    return this.#firstError
  }

  get spoiled(): boolean {
    return this.#firstError !== undefined
  }

  /** Whether the connection is known to be gone: nothing more is sent over it, and the server rolls back by itself. */
  get isLost(): boolean {
    // What the server refused, under whatever code, has left the session alive.
    return this.#firstError !== undefined && !isRefusal(this.#firstError) && classifyError(this.#firstError).connection === 'drop'
  }

  /** Whether COMMIT was handed to the connection. */
  get commitSent(): boolean {
    return this.#commitSent
  }

  /** The server's tag for the end of the transaction: COMMIT, or ROLLBACK when it had failed before. */
  get endedBy(): string | undefined {
    return this.#endedBy
  }

  /** Whether the transaction is known to have written nothing: it ran no statement, or had no id after the last one. */
  get wroteNothing(): boolean {
    return this.#statements === 0 || (this.#identity?.xid === null && this.#identifiedStatements === this.#statements)
  }

  /** The statements that begin the transaction have been answered. */
  opened(): void {
    this.#state = 'open'
  }

  /** The next statement is COMMIT or ROLLBACK. */
  ends(how: 'committing' | 'rolling-back'): void {
    this.#state = how
  }

  /** Resolves when the identity that was asked for has been told. */
  async settled(): Promise<void> {
    await this.#identityAsked
  }

  around(client: GuardedClient, send: Send, statement?: Statement): void {
    const { deadline, proofMs, durable, behindCommit } = this.#options
    if (this.#state !== 'rolling-back') deadline?.throwIfPassed()
    const leftMs = deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(1, deadline.remainingMs() - ANSWER_EARLIER_MS)
    if (this.#state === 'starting') return send(boundedMs(Math.min(leftMs, proofMs ?? Number.POSITIVE_INFINITY)))
    if (this.#state === 'open') this.#pin(client)
    const raises = durable && this.#state === 'committing' && !this.wroteNothing && !this.spoiled
    if (raises) client.sendRaw(RAISE, undefined, { again: true, onError: error => (this.#firstError ??= error) }).catch(ignore)
    send(boundedMs(leftMs))
    if (this.#state === 'committing') {
      this.#commitSent = true
      behindCommit(client)
    }
    if (this.#state !== 'open' || (statement !== undefined && takesNoSnapshot(statement.text))) return
    this.#statements += 1
    if (!this.#stopsAsking && (this.#identity?.xid ?? null) === null) this.#ask(client)
  }

  // In the flight of the first statement; SET takes no snapshot, so that a level may still be set behind it.
  #pin(client: GuardedClient): void {
    if (this.#isPinned) return
    this.#isPinned = true
    const pins = setLocal(client.pins({ pooled: this.#options.pooled })).join('; ')
    if (pins !== '') client.sendRaw(pins).catch(ignore)
  }

  trailing(): Promise<void> | undefined {
    return this.#identityAsked
  }

  answered(result: unknown): void {
    if (this.#state === 'committing') this.#endedBy = (result as { command?: string } | undefined)?.command
  }

  failed(error: unknown): void {
    this.#firstError ??= error
  }

  synced(sync: Sync): void {
    const ended = this.#state === 'open' && hasEnded(sync)
    // The server has taken back what failed, to a savepoint.
    if (!ended && sync.before === 'E' && sync.status === 'T' && isRefusal(this.#firstError)) this.#firstError = undefined
    // The application has ended the transaction itself, and may have begun another one: what is known is the other's.
    if (!ended) return
    this.#identity = undefined
    this.#identifiedStatements = 0
  }

  #ask(client: GuardedClient): void {
    const careful = this.#options.identity === 'untried' && this.#identity === undefined
    if (careful) client.sendRaw(`SAVEPOINT ${SAVEPOINT}`).catch(ignore)
    const statements = this.#statements
    // It fails with the statement before it or with the connection, or because the role may not ask.
    const onError = (error: unknown) => {
      // The statement before it may have succeeded: what it wrote is lost with the connection.
      if (classifyError(error).connection === 'drop') this.#firstError ??= error
      if (!refusesIdentity(error)) return
      this.#stopsAsking = true
      this.#options.onIdentityRefused()
    }
    const asked = askIdentity(client, { onError })
      .then(identity => {
        if (identity === undefined) return
        this.#identity = identity
        this.#identifiedStatements = statements
        this.#options.onIdentity(identity)
      }, ignore)
      .finally(() => {
        if (this.#identityAsked === asked) this.#identityAsked = undefined
      })
    this.#identityAsked = asked
    if (careful) client.sendRaw(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`).catch(ignore)
  }
}
