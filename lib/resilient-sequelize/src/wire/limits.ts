import type { QueryResult } from 'pg'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'

/** Settings of the server that hold for one transaction, by their names. */
export type LocalSettings = Readonly<Record<string, string | number>>

/** How often the server looks whether the client of a running statement is still there. */
export const CLIENT_CHECK_MS = 500

/**
 * After `idleS` without a word the server's TCP asks its client whether it is there, every `everyS`, and ends the session when
 * `times` questions had no answer. No time limit of the server applies while it waits for the rest of a flight: the client of a
 * dead network would hold its locks for the two hours after which most systems ask first.
 */
export const KEEPALIVE = { idleS: 15, everyS: 5, times: 3 } as const

/** Start-up options with which the server finds out that the client of a direct connection is gone. */
export const LOST_CLIENT_OPTIONS = [
  `client_connection_check_interval=${CLIENT_CHECK_MS}`,
  `tcp_keepalives_idle=${KEEPALIVE.idleS}`,
  `tcp_keepalives_interval=${KEEPALIVE.everyS}`,
  `tcp_keepalives_count=${KEEPALIVE.times}`,
]
  .map(option => `-c ${option}`)
  .join(' ')

/** What a transaction may take on a session that is shared with others; a direct connection's session has it from its start. */
export interface TransactionLimits {
  /** Longest time without a statement, in ms. */
  readonly idleMs: number
  /** How often the server looks whether the client of a running statement is still there, in ms. */
  readonly clientCheckMs: number
}

/**
 * The server is told to stop so many ms before the client stops waiting, so that a slow statement ends with an answer and
 * only silence ends without one.
 */
export const SERVER_EARLIER_MS = 100

/** The server's clock and ours need not agree to the millisecond. */
export const CLOCK_MS = 5

/** A wait for the server ends this long before the deadline, so that it ends with what it waited for and not with the clock. */
export const ANSWER_EARLIER_MS = 50

/**
 * For `boundStatement`, in ms: the server stops a statement when the time of whoever asks is over, such as the budget of
 * safe-executed work, although the client has `statementMs` to hear of that.
 */
export function serverBound(statementMs: number): number {
  return Math.min(statementMs, (currentDeadline()?.remainingMs() ?? Number.POSITIVE_INFINITY) + SERVER_EARLIER_MS)
}

/** How long the client waits for one answer, in pg's terms: 0 waits without a bound. */
export function boundedMs(boundMs: number): number {
  return Number.isFinite(boundMs) ? boundMs : 0
}

/** Time limits that a session has of its own, from its server, database, role or start, in ms; 0 is none. */
export type SessionLimits = Readonly<Record<TimeLimit, number>>

/** The last one is only read: it tells whose limit a lock met. */
const TIME_LIMITS = ['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout'] as const
type TimeLimit = (typeof TIME_LIMITS)[number]

const inMs = (name: TimeLimit) => `(extract(epoch FROM current_setting('${name}')::interval) * 1000)::bigint`
/** SQL of a session's own time limits, one column each; to be read before they are changed. */
export const SESSION_LIMITS = TIME_LIMITS.map((name, index) => `${inMs(name)} AS own_${index}`).join(', ')
/** Part of every statement that sets values on a session whose own limits are unknown, such as one lent by a pooler. */
export const SETTING_MARK = ' AS own_0'
export const SESSION_LIMIT_COUNT = TIME_LIMITS.length

/** Reads the columns of `SESSION_LIMITS`. */
export function readSessionLimits(columns: readonly unknown[]): SessionLimits {
  return Object.fromEntries(TIME_LIMITS.map((name, index) => [name, Number(columns[index])])) as SessionLimits
}

/** SQL that sets a value for the transaction; a time limit stays what it is if that is lower. */
export function setLowered(name: string, value: string): string {
  const limit = TIME_LIMITS.find(each => each === name)
  const lowered = limit === undefined ? value : `least(nullif(${inMs(limit)}, 0), ${value}::bigint)::text`
  return `set_config('${name}', ${lowered}, true)`
}

/**
 * Sets what bounds a transaction. Where the session's own limits are not known it is a query whose row has them: see
 * `limitsIn`.
 */
export function settingsStatement(settings: LocalSettings, session: SessionLimits | undefined): string {
  if (session !== undefined) return setLocal(lowered(settings, session)).join('; ')
  const calls = Object.entries(settings).map(([name, value]) => setLowered(name, `'${value}'`))
  return calls.length === 0 ? '' : `SELECT ${[SESSION_LIMITS, ...calls].join(', ')}`
}

/** What bounds a transaction, and what its session may lack, as settings of the server. */
export function transactionSettings(
  client: { pins(session: { pooled: boolean }): LocalSettings },
  { boundMs, limits }: { boundMs: number; limits: TransactionLimits | undefined },
): LocalSettings {
  return { ...client.pins({ pooled: limits !== undefined }), ...limitSettings(boundMs, limits) }
}

/** What bounds a transaction, as settings of the server. */
export function limitSettings(boundMs: number, limits: TransactionLimits | undefined): LocalSettings {
  return {
    ...(limits && {
      // 0 would lift a limit of the administrator.
      ...(limits.idleMs > 0 && { idle_in_transaction_session_timeout: limits.idleMs }),
      // The pooler hangs up when its client is gone, in the middle of a statement as well.
      client_connection_check_interval: limits.clientCheckMs,
    }),
    // Last, so that the server cannot stop one of the other settings by the new limit.
    ...(Number.isFinite(boundMs) && { statement_timeout: Math.max(1, Math.ceil(boundMs - SERVER_EARLIER_MS)) }),
  }
}

/** The settings, with time limits no higher than the session's own. */
export function lowered(settings: LocalSettings, session: SessionLimits | undefined): LocalSettings {
  if (session === undefined || TIME_LIMITS.every(name => session[name] === 0)) return settings
  const lower = TIME_LIMITS.filter(name => name in settings && session[name] > 0 && session[name] < Number(settings[name]))
  return { ...settings, ...Object.fromEntries(lower.map(name => [name, session[name]])) }
}

/** A transaction's start with all that bounds it, as one message; `bound` is a `settingsStatement`. */
export function startStatement(characteristics: string | undefined, bound: string): string {
  const start = characteristics === undefined ? 'START TRANSACTION' : `START TRANSACTION ${characteristics}`
  return bound === '' ? start : `${start}; ${bound}`
}

/** The session's own limits out of the answer to a message with a `settingsStatement`, if that read them. */
export function limitsIn(answer: unknown): SessionLimits | undefined {
  const results = (Array.isArray(answer) ? answer : [answer]) as QueryResult<Record<string, unknown>>[]
  const row = results.at(-1)?.rows?.[0]
  return row === undefined || !('own_0' in row) ? undefined : readSessionLimits(Object.values(row))
}

/** Statements that set values for the transaction they are sent in. */
export function setLocal(settings: LocalSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`)
}
