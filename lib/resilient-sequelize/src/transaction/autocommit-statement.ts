import type pg from 'pg'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { isFromServer, isRefusal } from '../errors/is-refusal.ts'
import { classifyError } from '../errors/classify-error.ts'
import { RAISE, raiseOwnSession } from '../wire/durability.ts'
import type { GuardedClient, Send, StatementGuard } from '../wire/guarded-client.ts'
import { identityBefore, refusesIdentity } from '../wire/identity.ts'
import { boundedMs, serverBound, setLocal, transactionSettings, type TransactionLimits } from '../wire/limits.ts'
import { processIdOf, wasNotSent, type Statement } from '../wire/pg-internals.ts'
import { canBePreceded, isSingle, type PrecededQuery } from '../wire/preceded-query.ts'
import type { TransactionIdentity } from '../wire/session-identity.ts'
import { endsTransaction, firstWord } from '../wire/sql-tokens.ts'
import { UnitRecord } from './unit-record.ts'

export interface AutocommitOptions {
  deadline: Deadline
  /** Longest wait for the answer, in ms; infinite without a bound. */
  statementMs: () => number
  /** On a session that has none of its own. */
  limits: TransactionLimits | undefined
  /** Whether the transaction's identity is read, so that a lost answer can be decided. */
  identified: boolean
  /** Whether its commit waits for the disk, whatever the role or the database has set. */
  durable: boolean
  /** Sends what is to ride behind a COMMIT. */
  behindCommit: (client: GuardedClient) => void
}

interface OtherStatement {
  readonly statement: Statement | undefined
  readonly boundMs: number
  readonly precedes: boolean
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])
const unheard = () => undefined

/**
 * One statement that commits by itself. If it is a single INSERT, UPDATE, DELETE or MERGE, its transaction gets its id ahead
 * of it in the same flight, and the server answers before it commits: when the connection is lost the id decides whether
 * the statement was applied, and the answer that has arrived is still the right one.
 */
export class AutocommitStatement implements StatementGuard {
  readonly record = new UnitRecord()
  readonly #options: AutocommitOptions
  #sent = false
  #ownsSession = false
  #identified = false
  #identity: TransactionIdentity | undefined
  #query: PrecededQuery | undefined
  #error: unknown
  #waitMs = 0

  constructor(options: AutocommitOptions) {
    this.#options = options
  }

  get root(): this {
    return this
  }

  get identity(): TransactionIdentity | undefined {
    return this.#identity
  }

  /** The server's whole answer, if it arrived before the connection was lost. */
  get completed(): pg.QueryResult | undefined {
    return this.#query?.completed
  }

  get firstError(): unknown {
    return this.#error
  }

  /** Whether the statement was sent and the server has not refused it. */
  get mayBeCommitted(): boolean {
    if (!this.#sent || this.#error === undefined || isRefusal(this.#error) || wasNotSent(this.#error)) return false
    return !this.#endedBefore
  }

  // The server sends the identity before the statement runs: if it ended the session with an error instead, nothing ran.
  // A pooler may report the same although the statement ran and the identity was lost.
  get #endedBefore(): boolean {
    return this.#ownsSession && isFromServer(this.#error) && this.#identified && this.#identity === undefined
  }

  /** Whether the role may not ask for the identity: the statement has not run then. */
  get identityRefused(): boolean {
    return this.#identified && this.#identity === undefined && refusesIdentity(this.#error)
  }

  get spoiledConnection(): boolean {
    return this.#error !== undefined && classifyError(this.#error).connection === 'drop'
  }

  /** Longest wait for the answer to the last statement, in ms. */
  get waitMs(): number {
    return this.#waitMs
  }

  around(client: GuardedClient, send: Send, statement: Statement | undefined): void {
    const { deadline, statementMs, limits, identified, durable, behindCommit } = this.#options
    deadline.throwIfPassed()
    const boundMs = statementMs()
    this.#waitMs = boundMs
    this.#sent = true
    this.#ownsSession = client.ownsSession
    // A transaction that a raw statement has begun on this connection is left alone.
    const isAlone = statement !== undefined && client.getTransactionStatus() === 'I' && isSingle(statement)
    if (!isAlone || !isWrite(statement.text))
      return this.#sendOther(client, send, { statement, boundMs, precedes: isAlone && canBePreceded(statement) })
    const settings = transactionSettings(client, { boundMs: serverBound(boundMs), limits })
    if (!identified) send(boundedMs(boundMs), client.settingsBefore(settings, { durable }))
    else {
      this.#identified = true
      const tell = {
        onIdentity: (identity: TransactionIdentity) => void (this.#identity = identity),
        onSent: (query: PrecededQuery) => void (this.#query = query),
      }
      send(boundedMs(boundMs), identityBefore(client, { settings, durable }, tell))
    }
    behindCommit(client)
  }

  // Nothing may precede what need not be one statement, or runs in no transaction, such as CALL and VACUUM.
  #sendOther(client: GuardedClient, send: Send, { statement, boundMs, precedes }: OtherStatement): void {
    const { durable, limits } = this.#options
    const pins = client.pins({ pooled: limits !== undefined })
    const isPinned = Object.keys(pins).length === 0
    if (precedes && (durable || !isPinned)) return send(boundedMs(boundMs), client.settingsBefore(pins, { durable }))
    // A raw statement has begun a transaction: nothing may be asked in it before its level is set.
    const within = client.getTransactionStatus() === 'T'
    if (within && !isPinned) client.sendRaw(setLocal(pins).join('; ')).catch(unheard)
    if (within && durable && statement !== undefined && endsTransaction(statement.text)) client.sendRaw(RAISE).catch(unheard)
    const pid = processIdOf(client)
    if (!within && durable && limits === undefined && pid !== null) client.sendRaw(raiseOwnSession(pid)).catch(unheard)
    send(boundedMs(boundMs))
  }

  failed(error: unknown, _what?: 'statement' | 'own', expired = false): void {
    this.record.add(error, expired)
    this.#error ??= error
  }
}

/** Whether a text is one of the statements that write rows. */
function isWrite(text: string): boolean {
  return WRITES.has(firstWord(text))
}
