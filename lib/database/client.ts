import type pg from 'pg'
import type { TlsNegotiation } from '../config/tls.ts'
import { currentDeadline } from '../resilience/deadline-scope.ts'

export type Send = (timeoutMs: number, preamble?: readonly string[]) => void

/** Decides what travels around each statement of a connection, and how long an answer may take. */
export interface StatementGuard {
  /** The outermost guard: that of the whole transaction. */
  readonly root: StatementGuard
  /**
   * Called for every statement; `send` puts it on the wire, behind `preamble` in one message if that is given, which only
   * a statement that `travelsWithPreamble` can. What the guard sends before or after it with `client.sendRaw` leaves in
   * the same flight.
   */
  around(client: GuardedClient, send: Send, given: readonly unknown[]): void
  /** Called with the error of a statement that failed, before the caller sees it; or of a savepoint that could not end. */
  failed?(error: unknown, what?: 'statement' | 'savepoint'): void
  /** Whether a statement has failed, so that the server refuses everything until a rollback. */
  readonly spoiled?: boolean
  /** Settles when what rides behind the last statement is answered, too; only then its caller hears of its success. */
  trailing?(): Promise<void> | undefined
  /** Settles when a statement that comes from where this call comes from may be sent; `undefined` means now. */
  gate?(): Promise<void> | undefined
}

/** pg's client with what the pool's life needs beside it. */
export interface GuardedClient extends pg.Client {
  /** sequelize's mark for the transaction that uses this connection. */
  uuid?: string | undefined
  guard: StatementGuard | undefined
  /** Epoch ms by the wall clock at which the server last said that it is ready. */
  readonly lastAnswerAt: number
  /** Sends a statement past the guard; without `timeoutMs` only the end of the connection ends the wait. */
  sendRaw(text: string, values?: readonly unknown[], options?: { timeoutMs?: number }): Promise<pg.QueryResult | pg.QueryResult[]>
  /** Drops the connection at once, without a word to the server. */
  destroySocket(): void
}

export type GuardedClientClass = new (config: pg.ClientConfig) => GuardedClient

type Callback = (error: Error | null | undefined, result?: unknown) => void

// Longest time for one attempt to connect, log-in included, and the share of the time left that it may take, so that
// a second attempt still fits into the deadline when the first meets silence.
const CONNECT_MS = 5_000
const CONNECT_SHARE = 0.4
const SHORTEST_CONNECT_MS = 300

/**
 * Makes the class of client that sequelize is given. Statements are pipelined: what is sent without waiting leaves in
 * one flight. Everything sent while a guard is set goes through it.
 */
export function guardClient(
  Client: typeof pg.Client,
  { now = Date.now, sslnegotiation = 'postgres' }: { now?: () => number; sslnegotiation?: TlsNegotiation } = {},
): GuardedClientClass {
  return class extends Client implements GuardedClient {
    uuid: string | undefined
    guard: StatementGuard | undefined
    lastAnswerAt = now()
    #gathering = false

    constructor(config: pg.ClientConfig) {
      // sequelize hands on only what it knows.
      super({ ...config, pipeline: true, sslnegotiation, connectionTimeoutMillis: connectTimeoutMs() })
      // sequelize listens from the turn after the log-in: what arrives together with that would end the process. Statements
      // are refused from then on all the same.
      this.on('error', () => undefined)
      this.connection.on('readyForQuery', () => {
        this.lastAnswerAt = now()
      })
    }

    // When the log-in fails on our side, pg leaves the socket open, and the server a session that waits to be told more.
    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error) => void): void
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
      if (callback === undefined)
        return new Promise((resolve, reject) => this.connect(error => ((error as Error | null) ? reject(error) : resolve(this))))
      // Told in the same turn: sequelize takes an end that it hears of first for the reason.
      super.connect((error: Error) => {
        if (error as Error | null) this.destroySocket()
        callback(error)
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
        const send: Send = (timeoutMs, preamble) => {
          result = this.#pass(preamble === undefined ? watched : behind(preamble, watched), timeoutMs)
        }
        guard.around(this, send, given)
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

    sendRaw(text: string, values?: readonly unknown[], { timeoutMs = 0 }: { timeoutMs?: number } = {}): Promise<pg.QueryResult> {
      return new Promise((resolve, reject) => {
        const answered = (error: Error | null | undefined, result: pg.QueryResult) => (error ? reject(error) : resolve(result))
        this.#pass(values === undefined ? [text, answered] : [text, [...values], answered], timeoutMs)
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

    #pass(given: unknown[], timeoutMs: number): never {
      const send = super.query.bind(this) as (...given: unknown[]) => never
      this.#gather()
      if (timeoutMs <= 0) return send(...given)
      if (given.some(isCallback)) return send(...given.map(argument => (isCallback(argument) ? bounded(this, argument, timeoutMs) : argument)))
      return new Promise((resolve, reject) => {
        const answered = (error: Error | null | undefined, result: unknown) => (error ? reject(error) : resolve(result))
        send(...given, bounded(this, answered, timeoutMs))
      }) as never
    }
  }
}

/**
 * Whether a statement can stand behind others in one message, which the server runs in one transaction and answers at
 * once: a single one, without values, that leaves transactions alone.
 */
export function travelsWithPreamble([text, values]: readonly unknown[]): boolean {
  return typeof text === 'string' && !Array.isArray(values) && /^\s*(?:SELECT|WITH|VALUES|TABLE)\b[^;]*(?:;\s*)?$/i.test(text)
}

// Of the answers that come for the statements of one message, the last one is asked for.
function behind(preamble: readonly string[], [text, ...rest]: readonly unknown[]): unknown[] {
  const last = (callback: Callback): Callback => (error, results) => callback(error, Array.isArray(results) ? results.at(-1) : results)
  return [`${preamble.join('; ')}; ${text as string}`, ...rest.map(argument => (isCallback(argument) ? last(argument) : argument))]
}

function watch(callback: Callback, guard: StatementGuard): Callback {
  return (error, result) => {
    if (error) guard.failed?.(error)
    const trailing = error ? undefined : guard.trailing?.()
    if (trailing === undefined) callback(error, result)
    else void trailing.then(() => callback(error, result))
  }
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
