import type pg from 'pg'
import type { LocalSettings, SessionLimits } from './limits.ts'
import type { QueryCallback, Statement } from './pg-internals.ts'
import type { PrecededQuery, Trailing } from './preceded-query.ts'
import type { SessionIdentity } from './session-identity.ts'

/** A statement that goes right before another, up to the same Sync; it answers one row. */
export interface Before {
  readonly statement: Statement
  readonly onFirstRow: (fields: readonly unknown[]) => void
  /** Has both answered before the server commits; `onSent` receives the query, which tells how far its answer got. */
  readonly flushed?: boolean
  onSent?(query: PrecededQuery): void
  /** Goes right behind the other statement, and is answered before the commit as well. */
  readonly after?: Trailing
}

/** Puts a statement on the wire: behind another one of the same transaction, or as it is. */
export type Send = (timeoutMs: number, before?: Before) => void

/** PostgreSQL's transaction status: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** The end of the server's answer to one message. */
export interface Sync {
  readonly status: TransactionStatus
  /** The status that the message met. */
  readonly before: TransactionStatus
  /** Command tags of statements that end a transaction or go back to a savepoint: COMMIT, ROLLBACK, PREPARE TRANSACTION. */
  readonly tags: readonly string[]
  readonly text: string | undefined
}

/** Decides what travels around each statement of a connection, and how long an answer may take. */
export interface StatementGuard {
  /** The outermost guard: that of the whole transaction. */
  readonly root: StatementGuard
  /**
   * Whether statements with values that come again are kept parsed on the server. Only for code that runs on a schema which
   * migrations alone change: a parsed statement keeps the types of its values when a table is made anew.
   */
  readonly keepsParsed?: boolean
  /** Whether the work has set a time limit for its statements, which then stands. */
  readonly keepsOwnTimeout?: boolean
  /** Time limits of the session that the transaction runs on, once they are known. */
  readonly sessionLimits?: SessionLimits | undefined
  /**
   * Called for every statement; `send` puts it on the wire, behind another one only if it `isSingle`. What the guard sends
   * before or after it with `client.sendRaw` leaves in the same flight.
   */
  around(client: GuardedClient, send: Send, statement: Statement | undefined): void
  /**
   * Called with the error of a statement of the work, before the caller sees it, or of one that the unit itself sent (`own`).
   * `expired`: the time that was given to the statement is over.
   */
  failed?(error: unknown, what?: 'statement' | 'own', expired?: boolean): void
  /** The longest time for a statement that the server was given last, in ms. */
  boundMs?: number
  /** The time by `performance.now()` at which the server's time limit ends for a statement that the unit itself sends now. */
  expiry?(): number
  /** Called with the answer to a statement, before the caller sees it. */
  answered?(result: unknown): void
  /** Called when the server has finished a statement that came through this guard, before the caller sees its answer. */
  synced?(sync: Sync): void
  /** Called when code other than the unit itself ends its transaction: through the transaction object, or the connection. */
  ended?(error: Error): void
  /** Whether a statement has failed, so that the server refuses everything until a rollback. */
  readonly spoiled?: boolean
  /** Settles when what rides behind the last statement is answered, too; only then its caller hears of its success. */
  trailing?(): Promise<void> | undefined
  /** Settles when a statement that comes from where this call comes from may be sent; `undefined` means now. */
  gate?(): Promise<void> | undefined
}

export interface RawOptions {
  /** Longest wait for the answer; without it only the end of the connection ends the wait. */
  readonly timeoutMs?: number
  /** Whether the same text comes again and again, so that the server should keep it parsed. */
  readonly again?: boolean
  /** Called with the error before errors of later statements in the batch are reported. The promise rejects later. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface KnownSession {
  readonly identity: SessionIdentity
  /** When it was read, by `performance.now()`. */
  readonly readAt: number
}

/** pg's client with what the pool's life needs beside it. */
export interface GuardedClient extends pg.Client {
  /** sequelize's mark for the transaction that uses this connection. */
  uuid?: string | undefined
  guard: StatementGuard | undefined
  /** Whether statements leave without waiting for the answers before them; pg looks at each. */
  pipeline: boolean
  /** Whether a raw statement has left it within a transaction: its next statements are part of that. */
  openByHand: boolean
  /** Whether the pool has given up the connection, also while a unit holds it: one that was lost. */
  isRetired: boolean
  /** Time limits that the session has of its own, while they are known: only those of a session that no pooler lends. */
  readonly sessionLimits: SessionLimits | undefined
  keepLimits(limits: SessionLimits | undefined): void
  /** Forgets them: a statement may have changed them. */
  forgetLimits(): void
  /** Epoch ms by the wall clock at which the server last said that it is ready. */
  readonly lastAnswerAt: number
  /** What the server announced at log-in, by name: its version, its encoding, whether it is a standby. */
  readonly announced: Readonly<Record<string, string>>
  /** What each transaction has to bring along because the session may not have it; see `pinnedLocally`. */
  pins(session: { readonly pooled: boolean }): LocalSettings
  /** Sends a statement past the guard. */
  sendRaw(text: string, values?: readonly unknown[], options?: RawOptions): Promise<pg.QueryResult | pg.QueryResult[]>
  /** Sends a statement through the guard, as `query` does. */
  ask(statement: Statement, answered: QueryCallback): void
  /** Takes note of the session that has answered: only one that is announced as such is its own, and not lent by a pooler. */
  noteSession(pid: number): void
  /** Whether the server's session is known to be this connection's own. */
  readonly ownsSession: boolean
  /** What is known of the session; of none but its own. */
  readonly session: KnownSession | undefined
  keepSession(known: KnownSession): void
  /** Settings for the transaction of one statement, to be sent right before it; `durable` has its commit wait for the disk. */
  settingsBefore(settings: LocalSettings, options?: { durable?: boolean }): Before
  /** Drops the connection at once, without a word to the server. */
  destroySocket(): void
}

export type GuardedClientClass = new (config: pg.ClientConfig) => GuardedClient

/** What completes results whose types were not known; see `TypeCatalog`. Set once there is a catalogue. */
export interface TypeHooks {
  completeTypes?: (client: GuardedClient, results: readonly pg.QueryResult[]) => Promise<void> | undefined
}
