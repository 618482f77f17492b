import type pg from 'pg'
import type { TlsNegotiation } from '../../../config/tls.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { noteTrip } from '../../../invocation/src/invocation-scope.ts'
import type { SessionIdentity } from './identity.ts'
import { StatementNames } from './statement-names.ts'
import {
  nameQuery,
  precedeQuery,
  settingStatement,
  type LocalSettings,
  type QueryCallback,
  type QueryClass,
  type Statement,
} from './preceded-query.ts'

/** Puts a statement on the wire: behind settings of its own transaction, or as it is. */
export type Send = (timeoutMs: number, settings?: LocalSettings) => void

/** Decides what travels around each statement of a connection, and how long an answer may take. */
export interface StatementGuard {
  /** The outermost guard: that of the whole transaction. */
  readonly root: StatementGuard
  /**
   * Called for every statement; `send` puts it on the wire, with settings only if it `canBePreceded`. What the guard sends
   * before or after it with `client.sendRaw` leaves in the same flight.
   */
  around(client: GuardedClient, send: Send, statement: Statement | undefined): void
  /** Called with the error of a statement that failed, before the caller sees it; or of a savepoint that could not end. */
  failed?(error: unknown, what?: 'statement' | 'savepoint'): void
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
  /** Epoch ms by the wall clock at which the server last said that it is ready. */
  readonly lastAnswerAt: number
  /** Sends a statement past the guard. */
  sendRaw(text: string, values?: readonly unknown[], options?: RawOptions): Promise<pg.QueryResult | pg.QueryResult[]>
  /** Sends a statement through the guard, as `query` does. */
  ask(statement: Statement, answered: QueryCallback): void
  /** Takes note of the session that has answered: only one that is announced as such is its own, and not lent by a pooler. */
  noteSession(pid: number): void
  /** What is known of the session; of none but its own. */
  readonly session: KnownSession | undefined
  keepSession(known: KnownSession): void
  /** Drops the connection at once, without a word to the server. */
  destroySocket(): void
}

export type GuardedClientClass = new (config: pg.ClientConfig) => GuardedClient

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
  { now = Date.now, sslnegotiation = 'postgres' }: { now?: () => number; sslnegotiation?: TlsNegotiation } = {},
): GuardedClientClass {
  const Query = (Client as unknown as { Query: QueryClass }).Query
  const PrecededQuery = precedeQuery(Query)
  let naming = true
  return class extends Client implements GuardedClient {
    uuid: string | undefined
    guard: StatementGuard | undefined
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
      super({ ...config, pipeline: true, sslnegotiation, connectionTimeoutMillis: connectTimeoutMs() })
      // sequelize listens from the turn after the log-in: what arrives together with that would end the process. Statements
      // are refused from then on all the same.
      this.on('error', () => undefined)
      this.connection.on('readyForQuery', () => {
        this.lastAnswerAt = now()
        if (this.#unanswered > 0) this.#unanswered -= 1
      })
      this.connection.on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
        if (parameterName === 'standard_conforming_strings') this.standard_conforming_strings = parameterValue
      })
      this.once('end', () => {
        // Why it could not be made says more than that it ended.
        if (this.#connected !== undefined && !this.#connected.error) this.#connected = { error: new Error('Connection terminated unexpectedly') }
      })
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
      super.connect((error: Error) => {
        this.#connected = { error }
        if (error as Error | null) this.destroySocket()
        // Told in the same turn: sequelize takes an end that it hears of first for the reason.
        for (const tell of this.#connecting.splice(0)) tell(error)
      })
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
        const send: Send = (timeoutMs, settings) => {
          result = this.#pass(watched, timeoutMs, settings)
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

    #pass(given: unknown[], timeoutMs: number, settings?: LocalSettings): never {
      const statement = statementOf(given)
      const send = super.query.bind(this) as (...given: unknown[]) => never
      if (statement === undefined) {
        this.#noteFlight()
        return send(...given)
      }
      const callback = given.findLast(isCallback)
      if (callback !== undefined) return this.#send(send, statement, timeoutMs > 0 ? bounded(this, callback, timeoutMs) : callback, settings)
      return new Promise((resolve, reject) => {
        this.#pass([statement, (error: Error | null | undefined, result: unknown) => (error ? reject(error) : resolve(result))], timeoutMs, settings)
      }) as never
    }

    #send(send: (...given: unknown[]) => never, given: Statement, callback: Callback, settings: LocalSettings | undefined): never {
      this.#gather()
      this.#noteFlight()
      const statement = this.#named(given)
      const before = settings && this.#named(settingStatement(settings))
      if (before === undefined) {
        const { text, values, name } = statement
        return name === undefined ? send(text, values, callback) : send(nameQuery(new Query(text, values, this.#noted([statement], callback)), name))
      }
      const onSession = (pid: number) => {
        this.#names?.settle(before.text, true)
        this.noteSession(pid)
      }
      return send(new PrecededQuery({ before, statement, onSession }, this.#noted([before, statement], callback)))
    }

    // A session that knows no name that was given in it is somebody else's: a pooler has announced it as its own.
    #noted(statements: readonly Statement[], callback: Callback): Callback {
      return (error, result) => {
        for (const { text } of statements) this.#names?.settle(text, !error)
        if (error && NAME_ERRORS.includes(String((error as { code?: unknown }).code))) {
          naming = false
          this.#names = undefined
        }
        callback(error, result)
      }
    }

    noteSession(pid: number): void {
      const { processID } = this as unknown as { processID: number | null }
      if (processID !== pid) this.#names = undefined
      else if (naming) this.#names ??= new StatementNames()
    }

    get session(): KnownSession | undefined {
      return this.#names && this.#session
    }

    keepSession(known: KnownSession): void {
      this.#session = known
    }

    /** The statement under its name, if it is to have one: what has no values is made up for each call. */
    #named(statement: Statement): Statement {
      const { text, values, name, again = false } = statement
      if (this.#names === undefined || name !== undefined || !(again || values?.length)) return statement
      return { text, values, name: this.#names.of(text) }
    }
  }
}

function watch(callback: Callback, guard: StatementGuard): Callback {
  return (error, result) => {
    if (error) guard.failed?.(error)
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

function connectTimeoutMs(): number {
  const remainingMs = currentDeadline()?.remainingMs() ?? Number.POSITIVE_INFINITY
  return Math.max(SHORTEST_CONNECT_MS, Math.min(CONNECT_MS, remainingMs * CONNECT_SHARE))
}
