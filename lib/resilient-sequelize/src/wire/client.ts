import type pg from 'pg'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { noteTrip } from '../../../invocation/src/invocation-scope.ts'
import { noteAnswer, noteLastWords } from '../errors/is-refusal.ts'
import { noteStale } from '../errors/stale-statement.ts'
import { StatementNames } from './statement-names.ts'
import type {
  Before,
  GuardedClient,
  GuardedClientClass,
  KnownSession,
  RawOptions,
  Send,
  StatementGuard,
  TransactionStatus,
  TypeHooks,
} from './guarded-client.ts'
import { CLOCK_MS, readSessionLimits, SERVER_EARLIER_MS, serverBound, type LocalSettings, type SessionLimits } from './limits.ts'
import {
  named,
  parsedStatementsOf,
  queryArguments,
  processIdOf,
  queryClassOf,
  startUpMethodOf,
  stopConnectTimer,
  type QueryCallback,
  type Statement,
} from './pg-internals.ts'
import { pinnedLocally, pinnedParameters } from './pinned-settings.ts'
import { nameQuery, precedeQuery, settingStatement } from './preceded-query.ts'
import { isCallback, isSubmittable, keepsPortal, statementOf, textOf, watchErrors, type Submittable } from './query-forms.ts'

export interface GuardOptions {
  readonly now?: () => number
  /** How TLS begins: `direct` saves a round trip on servers that know it (PostgreSQL 17). */
  readonly sslnegotiation?: 'postgres' | 'direct'
  /** Start-up parameters beside pg's own: they cost no round trip, and a pooler keeps track of them. */
  readonly startParameters?: Readonly<Record<string, string>>
  readonly hooks?: TypeHooks
}

/** What came through a guard and is not answered yet; the guard's own messages have none. */
interface Sent {
  readonly guard?: StatementGuard
  readonly text?: string | undefined
}

// Longest time for one attempt to connect, log-in included, and the share of the time left that it may take, so that
// a second attempt still fits into the deadline when the first meets silence.
const CONNECT_MS = 5_000
const CONNECT_SHARE = 0.4
const SHORTEST_CONNECT_MS = 300
// A session can be given other limits while it lives.
const LIMITS_KEPT_MS = 10_000
const ENDS_TRANSACTION = /^(?:COMMIT|ROLLBACK|PREPARE TRANSACTION)/
// The server does not know a name, or knows it for something else.
const NAME_ERRORS = ['26000', '42P05']

/**
 * Makes the class of client that sequelize is given. Statements are pipelined: what is sent without waiting leaves in
 * one flight. Everything sent while a guard is set goes through it.
 */
export function guardClient(
  Client: typeof pg.Client,
  { now = Date.now, sslnegotiation = 'postgres', startParameters = pinnedParameters({}), hooks = {} }: GuardOptions = {},
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
    isRetired = false
    readonly announced: Record<string, string> = {}
    readonly #startOptions: unknown
    lastAnswerAt = now()
    /** Messages that were sent and not answered yet, oldest first. */
    readonly #unanswered: Sent[] = []
    #status: TransactionStatus = 'I'
    /** Tags since the last answer ended. */
    #tags: string[] = []
    #loggedIn = false
    /** The server's error that neither ReadyForQuery nor the end of the connection has followed yet. */
    #refusal: object | undefined
    /** Reports that error to the statement it answers. */
    #reportRefusal: (() => void) | undefined
    /** Whether the connection ended behind an error of the server. */
    #hungUp = false
    /** Called when everything that was sent is answered. */
    readonly #onQuiet: (() => void)[] = []
    // Of what the server tells while it lets somebody in, sequelize reads this one, if it is there to hear it.
    standard_conforming_strings: string | undefined
    // Whoever asks for it while it is under way, or later, joins in.
    readonly #connecting: ((error: Error) => void)[] = []
    #connected: { error: Error | null | undefined } | undefined
    #gathering = false
    /** On a session of its own alone. */
    #names: StatementNames | undefined
    #session: KnownSession | undefined
    #limits: { readonly limits: SessionLimits; readonly at: number } | undefined

    constructor(config: pg.ClientConfig) {
      // sequelize hands on only what it knows.
      super({ ...config, pipeline: true, sslnegotiation, connectionTimeoutMillis: connectTimeoutMs(config.connectionTimeoutMillis) })
      this.#startOptions = config.options
      // sequelize listens from the turn after the log-in: what arrives together with that would end the process. Statements
      // are refused from then on all the same.
      this.on('error', () => undefined)
      this.connection.on('readyForQuery', ({ status }: { status: TransactionStatus }) => this.#noteSync(status, now()))
      this.connection.on('commandComplete', ({ text }: { text: string }) => {
        if (ENDS_TRANSACTION.test(text)) this.#tags.push(text)
      })
      this.connection.on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
        if (parameterName === 'standard_conforming_strings') this.standard_conforming_strings = parameterValue
        // What the application sets later is its own.
        if (!this.#loggedIn) this.announced[parameterName] = parameterValue
      })
      this.connection.on('errorMessage', (error: object) => {
        // A refused log-in is pg's to report.
        if (!this.#loggedIn) return
        // A second error before ReadyForQuery: the session is ending.
        this.#settleRefusal(noteLastWords)
        this.#refusal = error
      })
      for (const event of ['error', 'end']) this.connection.on(event, () => this.#settleRefusal(noteLastWords))
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
      const statement = statementOf(given)
      if (statement !== undefined && !given.some(isCallback)) return this.#promise(statement)
      const gate = guard.gate?.() ?? this.#gateOfPortal(given)
      if (gate !== undefined) return this.#later(gate, given)
      watchErrors(given[0], error => guard.failed?.(error))
      let result: unknown
      try {
        const send: Send = (timeoutMs, before) => {
          const expiry = expiryOf(timeoutMs)
          const watched = given.map(argument => (isCallback(argument) ? watch(argument, guard, expiry) : argument))
          result = this.#pass(watched, timeoutMs, before, { guard, text: textOf(given) })
        }
        guard.around(this, send, statement)
      } catch (error) {
        // The guard let nothing out: sequelize will wrap its reason, so that it has to be remembered here.
        guard.failed?.(error)
        throw error
      }
      return result as never
    }

    override end(): Promise<void>
    override end(callback: (error: Error) => void): void
    override end(callback?: (error: Error) => void): Promise<void> | void {
      if (!this.isRetired) this.guard?.root.ended?.(new Error('the work has ended the connection of its unit'))
      return callback === undefined ? super.end() : super.end(callback)
    }

    #promise(statement: Statement): never {
      return new Promise((resolve, reject) => {
        this.ask(statement, (error, result) => (error ? reject(error) : resolve(result)))
      }) as never
    }

    // pg takes cursors, streams and COPY only while it does not pipeline, and stops that only between two answers.
    #gateOfPortal(given: readonly unknown[]): Promise<void> | undefined {
      if (!this.pipeline || !keepsPortal(given, Query)) return undefined
      if (this.#unanswered.length > 0) return new Promise(resolve => this.#onQuiet.push(resolve))
      this.pipeline = false
      this.once('drain', () => (this.pipeline = true))
      return undefined
    }

    #noteSync(status: TransactionStatus, at: number): void {
      this.lastAnswerAt = at
      this.#loggedIn = true
      this.#settleRefusal(noteAnswer)
      const { guard, text } = this.#unanswered.shift() ?? {}
      const sync = { status, before: this.#status, tags: this.#tags.splice(0), text }
      this.#status = status
      guard?.synced?.(sync)
      // pg takes note of the same message after us.
      if (this.#unanswered.length === 0) for (const resolve of this.#onQuiet.splice(0)) setImmediate(resolve)
    }

    // Only what follows an error tells whether the server refuses and goes on: until then it is kept back.
    #whenSettled(callback: QueryCallback): QueryCallback {
      return (error, result) => {
        if (error && error === this.#refusal) this.#reportRefusal = () => callback(error)
        // pg fails what was sent behind it in the same turn: the error that explains the end has to be seen first.
        else if (error && this.#hungUp) setImmediate(callback, error)
        else callback(error, result)
      }
    }

    #settleRefusal(note: (error: object) => void): void {
      const report = this.#reportRefusal
      if (this.#refusal !== undefined) note(this.#refusal)
      this.#refusal = undefined
      this.#reportRefusal = undefined
      this.#hungUp ||= report !== undefined && note !== noteAnswer
      report?.()
    }

    // The transaction may end while its statement waits; the connection is then another's, or nobody's.
    #later(gate: Promise<void>, given: unknown[]): never {
      const root = this.guard?.root
      const [first] = given
      const result = gate.then(() => {
        if (this.guard?.root !== root) throw new Error('the transaction of this statement has ended')
        return this.query(...given)
      })
      result.catch((error: unknown) =>
        isSubmittable(first) ? first.handleError(error, this.connection) : given.findLast(isCallback)?.(error as Error),
      )
      return (isSubmittable(first) ? first : undefined) as never
    }

    ask(statement: Statement, answered: QueryCallback): void {
      // pg takes this form, too; only its types want more.
      ;(this.query as (...given: unknown[]) => void)(statement, answered)
    }

    sendRaw(text: string, values?: readonly unknown[], { timeoutMs = 0, again = false, onError }: RawOptions = {}): Promise<pg.QueryResult> {
      return new Promise((resolve, reject) => {
        const answered = (error: Error | null | undefined, result: pg.QueryResult) => {
          if (!error) return resolve(result)
          onError?.(error)
          reject(error)
        }
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
    #noteFlight(sent: Sent): void {
      if (this.#unanswered.length === 0) noteTrip()
      this.#unanswered.push(sent)
    }

    settingsBefore(settings: LocalSettings, { durable = false }: { durable?: boolean } = {}): Before {
      const { sessionLimits } = this
      return {
        statement: { ...settingStatement(settings, { session: sessionLimits, durable }), again: true },
        onFirstRow: fields => {
          this.noteSession(Number(fields.at(-1)))
          if (sessionLimits === undefined) this.keepLimits(readSessionLimits(fields))
        },
      }
    }

    #pass(given: unknown[], timeoutMs: number, before?: Before, sent: Sent = {}): never {
      const statement = statementOf(given)
      if (statement === undefined) {
        const [first] = given
        if (isSubmittable(first)) this.#track(first, sent)
        return (super.query as (...all: unknown[]) => never).apply(this, given)
      }
      const callback = given.findLast(isCallback)
      if (callback !== undefined) return this.#send(statement, timeoutMs > 0 ? bounded(this, callback, timeoutMs) : callback, { before, sent })
      return new Promise((resolve, reject) => {
        const answered = (error: Error | null | undefined, result: unknown) => (error ? reject(error) : resolve(result))
        this.#pass([statement, answered], timeoutMs, before, sent)
      }) as never
    }

    #send(given: Statement, callback: QueryCallback, { before, sent }: { before: Before | undefined; sent: Sent }): never {
      this.#gather()
      const statement = this.#named(given, this.guard?.root.keepsParsed ?? false)
      const query = this.#track(this.#queryOf(statement, callback, before), sent)
      return (super.query as (one: pg.Query) => unknown).call(this, query) as never
    }

    #queryOf(statement: Statement, answered: QueryCallback, before: Before | undefined): pg.Query {
      const callback = this.#isParsed(statement.name) ? notingStale(answered) : answered
      if (before === undefined) return nameQuery(new Query(...queryArguments(statement, this.#noted([statement], callback))), statement.name)
      const first = this.#named(before.statement)
      const after = before.after && { ...before.after, statement: this.#named(before.after.statement) }
      const onFirstRow = (fields: readonly unknown[]) => {
        this.#names?.settle(first.text, true)
        before.onFirstRow(fields)
      }
      const options = { before: first, statement, onFirstRow, flushed: before.flushed ?? false, after }
      const query = new Preceded(options, this.#noted([first, statement, ...(after ? [after.statement] : [])], callback))
      before.onSent?.(query)
      return query
    }

    // Only what pg puts on the wire is answered: it refuses some queries itself.
    #track<Kind extends object>(query: Kind, sent: Sent): Kind {
      const submittable = query as unknown as Submittable
      const submit = submittable.submit.bind(query)
      submittable.submit = connection => {
        const refused = submit(connection)
        if (!(refused instanceof Error)) this.#noteFlight(sent)
        return refused
      }
      return query
    }

    // A session that knows no name that was given in it is somebody else's: a pooler has announced it as its own.
    #noted(statements: readonly Statement[], callback: QueryCallback): QueryCallback {
      return this.#whenSettled((error, result) => {
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
      })
    }

    #isParsed(name: string | undefined): boolean {
      return name !== undefined && parsedStatementsOf(this)[name] !== undefined
    }

    noteSession(pid: number): void {
      if (processIdOf(this) !== pid) this.#names = undefined
      else if (naming) this.#names ??= new StatementNames()
    }

    get ownsSession(): boolean {
      return this.#names !== undefined
    }

    get session(): KnownSession | undefined {
      return this.#names && this.#session
    }

    keepSession(known: KnownSession): void {
      this.#session = known
    }

    pins({ pooled }: { pooled: boolean }): LocalSettings {
      return pinnedLocally({ options: this.#startOptions, announced: this.announced, pooled })
    }

    get sessionLimits(): SessionLimits | undefined {
      const { limits, at } = this.#limits ?? {}
      return this.#names === undefined || at === undefined || performance.now() - at > LIMITS_KEPT_MS ? undefined : limits
    }

    keepLimits(limits: SessionLimits | undefined): void {
      if (limits !== undefined) this.#limits = { limits, at: performance.now() }
    }

    forgetLimits(): void {
      this.#limits = undefined
    }

    /** The statement under its name, if it is to have one: what has no values is made up for each call. */
    #named(statement: Statement, keepsParsed = false): Statement {
      const { text, values, name, again = false } = statement
      if (this.#names === undefined || name !== undefined || !(again || (keepsParsed && values?.length))) return statement
      return named(statement, this.#names.of(text))
    }
  }
}

function notingStale(callback: QueryCallback): QueryCallback {
  return (error, result) => {
    if (error) noteStale(error)
    callback(error, result)
  }
}

function watch(callback: QueryCallback, guard: StatementGuard, expiry: number): QueryCallback {
  return (error, result) => {
    if (error) guard.failed?.(error, 'statement', performance.now() >= expiry)
    else guard.answered?.(result)
    const trailing = error ? undefined : guard.trailing?.()
    if (trailing === undefined) callback(error, result)
    else void trailing.then(() => callback(error, result))
  }
}

/** When the server's own time limit for a statement that is sent now ends, by `performance.now()`. */
function expiryOf(timeoutMs: number): number {
  return performance.now() + serverBound(timeoutMs > 0 ? timeoutMs : Number.POSITIVE_INFINITY) - SERVER_EARLIER_MS - CLOCK_MS
}

/**
 * Has a statement that is not answered in time fail, and its connection with it: what was sent behind it would wait as
 * well. pg's own timers and promises keep each statement in memory, with all that it refers to, until a full collection.
 */
function bounded(client: GuardedClient, callback: QueryCallback, timeoutMs: number): QueryCallback {
  let waiting: QueryCallback | undefined = callback
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
