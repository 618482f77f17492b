import type pg from 'pg'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { noteTrip } from '../../../invocation/src/invocation-scope.ts'
import type { SessionIdentity } from './session-identity.ts'
import { StatementNames } from './statement-names.ts'
import { processIdOf, queryClassOf, startUpMethodOf, stopConnectTimer, type QueryCallback, type Statement } from './pg-internals.ts'
import { nameQuery, precedeQuery, settingStatement, type LocalSettings, type PrecededQuery } from './preceded-query.ts'

/** A statement that goes right before another, up to the same Sync; it answers one row. */
export interface Before {
  readonly statement: Statement
  onFirstRow(fields: readonly unknown[]): void
  /** Has both answered before the server commits; `onSent` receives the query, which tells how far its answer got. */
  readonly flushed?: boolean
  onSent?(query: PrecededQuery): void
}

/** Puts a statement on the wire: behind another one of the same transaction, or as it is. */
export type Send = (timeoutMs: number, before?: Before) => void

/** Decides what travels around each statement of a connection, and how long an answer may take. */
export interface StatementGuard {
  /** The outermost guard: that of the whole transaction. */
  readonly root: StatementGuard
  /**
   * Whether statements with values that come again are kept parsed on the server. Only for code that runs on a schema which
   * migrations alone change: a parsed statement keeps the types of its values when a table is made anew.
   */
  readonly keepsParsed?: boolean
  /**
   * Called for every statement; `send` puts it on the wire, behind another one only if it `isSingle`. What the guard sends
   * before or after it with `client.sendRaw` leaves in the same flight.
   */
  around(client: GuardedClient, send: Send, statement: Statement | undefined): void
  /** Called with the error of a statement that failed, before the caller sees it; or of a savepoint that could not end. */
  failed?(error: unknown, what?: 'statement' | 'savepoint'): void
  /** Called with the answer to a statement, before the caller sees it. */
  answered?(result: unknown): void
  /** What to hand to `restore` when a savepoint that begins now is rolled back. */
  mark?(): unknown
  /** Forgets the failures since `mark`: the server has taken them back. */
  restore?(mark: unknown): void
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
  /** Epoch ms by the wall clock at which the server last said that it is ready. */
  readonly lastAnswerAt: number
  /** `server_version` as the server announced it at log-in. */
  readonly serverVersion: string | undefined
  /** Sends a statement past the guard. */
  sendRaw(text: string, values?: readonly unknown[], options?: RawOptions): Promise<pg.QueryResult | pg.QueryResult[]>
  /** Sends a statement through the guard, as `query` does. */
  ask(statement: Statement, answered: QueryCallback): void
  /** Takes note of the session that has answered: only one that is announced as such is its own, and not lent by a pooler. */
  noteSession(pid: number): void
  /** What is known of the session; of none but its own. */
  readonly session: KnownSession | undefined
  keepSession(known: KnownSession): void
  /** Settings for the transaction of one statement, to be sent right before it. */
  settingsBefore(settings: LocalSettings): Before
  /** Drops the connection at once, without a word to the server. */
  destroySocket(): void
}

export type GuardedClientClass = new (config: pg.ClientConfig) => GuardedClient

/** What completes results whose types were not known; see `TypeCatalog`. Set once there is a catalogue. */
export interface TypeHooks {
  completeTypes?: (client: GuardedClient, results: readonly pg.QueryResult[]) => Promise<void> | undefined
}

export interface GuardOptions {
  readonly now?: () => number
  /** How TLS begins: `direct` saves a round trip on servers that know it (PostgreSQL 17). */
  readonly sslnegotiation?: 'postgres' | 'direct'
  /** Start-up parameters beside pg's own, such as TimeZone: they cost no round trip, and a pooler keeps track of them. */
  readonly startParameters?: Readonly<Record<string, string>>
  readonly hooks?: TypeHooks
}

type Callback = QueryCallback

// Longest time for one attempt to connect, log-in included, and the share of the time left that it may take, so that
// a second attempt still fits into the deadline when the first meets silence.
const CONNECT_MS = 5_000
const CONNECT_SHARE = 0.4
const SHORTEST_CONNECT_MS = 300
// The server does not know a name, or knows it for something else.
const NAME_ERRORS = ['26000', '42P05']

/**
 * Makes the class of client that sequelize is given. Statements are pipelined: what is sent without waiting leaves in
 * one flight. Everything sent while a guard is set goes through it.
 */
export function guardClient(
  Client: typeof pg.Client,
  { now = Date.now, sslnegotiation = 'postgres', startParameters = {}, hooks = {} }: GuardOptions = {},
): GuardedClientClass {
  const Query = queryClassOf(Client)
  const Preceded = precedeQuery(Query)
  const ownStartUp = startUpMethodOf(Client)
  let naming = true
  return class extends Client implements GuardedClient {
    uuid: string | undefined
    guard: StatementGuard | undefined
    declare pipeline: boolean
    openByHand = false
    serverVersion: string | undefined
    lastAnswerAt = now()
    /** Messages that were sent and not answered yet. */
    #unanswered = 0
    // Of what the server tells while it lets somebody in, sequelize reads this one, if it is there to hear it.
    standard_conforming_strings: string | undefined
    // Whoever asks for it while it is under way, or later, joins in.
    readonly #connecting: ((error: Error) => void)[] = []
    #connected: { error: Error | null | undefined } | undefined
    #gathering = false
    /** On a session of its own alone. */
    #names: StatementNames | undefined
    #session: KnownSession | undefined

    constructor(config: pg.ClientConfig) {
      // sequelize hands on only what it knows.
      super({ ...config, pipeline: true, sslnegotiation, connectionTimeoutMillis: connectTimeoutMs(config.connectionTimeoutMillis) })
      // sequelize listens from the turn after the log-in: what arrives together with that would end the process. Statements
      // are refused from then on all the same.
      this.on('error', () => undefined)
      this.connection.on('readyForQuery', () => {
        this.lastAnswerAt = now()
        if (this.#unanswered > 0) this.#unanswered -= 1
      })
      this.connection.on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
        if (parameterName === 'standard_conforming_strings') this.standard_conforming_strings = parameterValue
        if (parameterName === 'server_version') this.serverVersion = parameterValue
      })
      this.once('end', () => {
        // Why it could not be made says more than that it ended.
        if (this.#connected !== undefined && !this.#connected.error) this.#connected = { error: new Error('Connection terminated unexpectedly') }
      })
    }

    // pg asks for it when it logs in.
    protected getStartupConf(): Record<string, string> {
      return { ...startParameters, ...ownStartUp.call(this) }
    }

    // When the log-in fails on our side, pg leaves the socket open, and the server a session that waits to be told more.
    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error) => void): void
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
      if (callback === undefined)
        return new Promise((resolve, reject) => this.connect(error => ((error as Error | null) ? reject(error) : resolve(this))))
      if (this.#connected !== undefined) return process.nextTick(callback, this.#connected.error)
      this.#connecting.push(callback)
      if (this.#connecting.length > 1) return
      const settle = (error: Error) => {
        this.#connected = { error }
        if (error as Error | null) this.destroySocket()
        // In the same tick: otherwise Sequelize reports the `end` event instead of this error.
        for (const tell of this.#connecting.splice(0)) tell(error)
      }
      try {
        super.connect(settle)
      } catch (error) {
        // A port that is none throws; the timer that pg has set by then would end the process.
        stopConnectTimer(this)
        settle(error as Error)
      }
    }

    // pg's own signature has a dozen forms; all of them are handed on as they came.
    override query(...given: unknown[]): never {
      const guard = this.guard
      if (guard === undefined) return this.#pass(given, 0)
      const gate = guard.gate?.()
      if (gate !== undefined) return this.#later(gate, given)
      const watched = given.map(argument => (isCallback(argument) ? watch(argument, guard) : argument))
      let result: unknown
      try {
        const send: Send = (timeoutMs, before) => {
          result = this.#pass(watched, timeoutMs, before)
        }
        guard.around(this, send, statementOf(given))
      } catch (error) {
        // The guard let nothing out: sequelize will wrap its reason, so that it has to be remembered here.
        guard.failed?.(error)
        throw error
      }
      return result as never
    }

    // The transaction may end while its statement waits; the connection is then another's, or nobody's.
    #later(gate: Promise<void>, given: unknown[]): never {
      const root = this.guard?.root
      const callback = given.findLast(argument => typeof argument === 'function') as Callback | undefined
      const result = gate.then(() => {
        if (this.guard?.root !== root) throw new Error('the transaction of this statement has ended')
        return this.query(...given)
      })
      if (callback === undefined) return result as never
      result.catch((error: unknown) => callback(error as Error))
      return undefined as never
    }

    ask(statement: Statement, answered: QueryCallback): void {
      // pg takes this form, too; only its types want more.
      ;(this.query as (...given: unknown[]) => void)(statement, answered)
    }

    sendRaw(text: string, values?: readonly unknown[], { timeoutMs = 0, again = false }: RawOptions = {}): Promise<pg.QueryResult> {
      return new Promise((resolve, reject) => {
        const answered = (error: Error | null | undefined, result: pg.QueryResult) => (error ? reject(error) : resolve(result))
        this.#pass([{ text, values, again }, answered], timeoutMs)
      })
    }

    destroySocket(): void {
      this.connection.stream.destroy()
    }

    // Whatever is sent in one turn of the event loop leaves as one write: each would be a packet of its own, and each
    // packet wakes up everybody on the way.
    #gather(): void {
      if (this.#gathering) return
      this.#gathering = true
      const { stream } = this.connection
      stream.cork()
      process.nextTick(() => {
        this.#gathering = false
        stream.uncork()
      })
    }

    // What follows before an earlier statement is answered leaves in the same flight.
    #noteFlight(): void {
      if (this.#unanswered === 0) noteTrip()
      this.#unanswered += 1
    }

    settingsBefore(settings: LocalSettings): Before {
      return { statement: { ...settingStatement(settings), again: true }, onFirstRow: fields => this.noteSession(Number(fields.at(-1))) }
    }

    #pass(given: unknown[], timeoutMs: number, before?: Before): never {
      const statement = statementOf(given)
      const send = super.query.bind(this) as (...given: unknown[]) => never
      if (statement === undefined) {
        this.#noteFlight()
        return send(...given)
      }
      const callback = given.findLast(isCallback)
      if (callback !== undefined) return this.#send(send, statement, timeoutMs > 0 ? bounded(this, callback, timeoutMs) : callback, before)
      return new Promise((resolve, reject) => {
        this.#pass([statement, (error: Error | null | undefined, result: unknown) => (error ? reject(error) : resolve(result))], timeoutMs, before)
      }) as never
    }

    #send(send: (...given: unknown[]) => never, given: Statement, callback: Callback, before: Before | undefined): never {
      this.#gather()
      this.#noteFlight()
      const statement = this.#named(given, this.guard?.root.keepsParsed ?? false)
      if (before === undefined) {
        const { text, values, name } = statement
        const answered = this.#noted([statement], callback)
        return name === undefined ? send(text, values, answered) : send(nameQuery(new Query(text, values, answered), name))
      }
      const first = this.#named(before.statement)
      const onFirstRow = (fields: readonly unknown[]) => {
        this.#names?.settle(first.text, true)
        before.onFirstRow(fields)
      }
      const query = new Preceded(
        { before: first, statement, onFirstRow, flushed: before.flushed ?? false },
        this.#noted([first, statement], callback),
      )
      before.onSent?.(query)
      return send(query)
    }

    // A session that knows no name that was given in it is somebody else's: a pooler has announced it as its own.
    #noted(statements: readonly Statement[], callback: Callback): Callback {
      return (error, result) => {
        for (const { text } of statements) this.#names?.settle(text, !error)
        if (error && NAME_ERRORS.includes(String((error as { code?: unknown }).code))) {
          naming = false
          this.#names = undefined
        }
        const completed = error ? undefined : hooks.completeTypes?.(this, resultsOf(result))
        if (completed === undefined) callback(error, result)
        else
          completed.then(
            () => callback(null, result),
            (reason: Error) => callback(reason),
          )
      }
    }

    noteSession(pid: number): void {
      if (processIdOf(this) !== pid) this.#names = undefined
      else if (naming) this.#names ??= new StatementNames()
    }

    get session(): KnownSession | undefined {
      return this.#names && this.#session
    }

    keepSession(known: KnownSession): void {
      this.#session = known
    }

    /** The statement under its name, if it is to have one: what has no values is made up for each call. */
    #named(statement: Statement, keepsParsed = false): Statement {
      const { text, values, name, again = false } = statement
      if (this.#names === undefined || name !== undefined || !(again || (keepsParsed && values?.length))) return statement
      return { text, values, name: this.#names.of(text) }
    }
  }
}

function watch(callback: Callback, guard: StatementGuard): Callback {
  return (error, result) => {
    if (error) guard.failed?.(error)
    else guard.answered?.(result)
    const trailing = error ? undefined : guard.trailing?.()
    if (trailing === undefined) callback(error, result)
    else void trailing.then(() => callback(error, result))
  }
}

// Of all the forms that pg takes: a text, with values or without, or both in an object.
function statementOf([first, second]: readonly unknown[]): Statement | undefined {
  if (typeof first === 'string') return { text: first, values: Array.isArray(second) ? (second as unknown[]) : undefined }
  return typeof first === 'object' && first !== null && !('submit' in first) && 'text' in first ? (first as Statement) : undefined
}

function isCallback(argument: unknown): argument is Callback {
  return typeof argument === 'function'
}

/**
 * Has a statement that is not answered in time fail, and its connection with it: what was sent behind it would wait as
 * well. pg's own timers and promises keep each statement in memory, with all that it refers to, until a full collection.
 */
function bounded(client: GuardedClient, callback: Callback, timeoutMs: number): Callback {
  let waiting: Callback | undefined = callback
  const timer = setTimeout(() => {
    const late = waiting
    waiting = undefined
    late?.(new Error('Query read timeout'))
    client.destroySocket()
  }, Math.ceil(timeoutMs))
  return (error, result) => {
    const inTime = waiting
    waiting = undefined
    clearTimeout(timer)
    inTime?.(error, result)
  }
}

function resultsOf(result: unknown): readonly pg.QueryResult[] {
  return (Array.isArray(result) ? result : [result]) as readonly pg.QueryResult[]
}

function connectTimeoutMs(longestMs: number = CONNECT_MS): number {
  const remainingMs = currentDeadline()?.remainingMs() ?? Number.POSITIVE_INFINITY
  return Math.max(SHORTEST_CONNECT_MS, Math.min(longestMs > 0 ? longestMs : CONNECT_MS, remainingMs * CONNECT_SHARE))
}
