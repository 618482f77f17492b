import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import type { LocalSettings } from './preceded-query.ts'

/** How often the server looks whether the client of a running statement is still there. */
export const CLIENT_CHECK_MS = 500

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

/** `SET LOCAL` with which the server ends a statement shortly before the client gives it up. */
export function boundStatement(boundMs: number): string {
  return setLocal(limitSettings(boundMs, undefined)).join('; ')
}

/** What bounds a transaction, as settings of the server. */
export function limitSettings(boundMs: number, limits: TransactionLimits | undefined): LocalSettings {
  return {
    ...(Number.isFinite(boundMs) && { statement_timeout: Math.max(1, Math.ceil(boundMs - SERVER_EARLIER_MS)) }),
    ...(limits && {
      idle_in_transaction_session_timeout: limits.idleMs,
      // The pooler hangs up when its client is gone, in the middle of a statement as well.
      client_connection_check_interval: limits.clientCheckMs,
    }),
  }
}

/** A transaction's start with all that bounds it, as one message. */
export function startStatement(characteristics: string | undefined, boundMs: number, limits: TransactionLimits | undefined): string {
  const start = characteristics === undefined ? 'START TRANSACTION' : `START TRANSACTION ${characteristics}`
  return [start, ...setLocal(limitSettings(boundMs, limits))].join('; ')
}

function setLocal(settings: LocalSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`)
}
