import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'

/** Longest time that a handler may put an event off by, in ms: 30 days. */
export const LONGEST_LATER_MS = 30 * 24 * 60 * 60_000
// What the table takes.
const LONGEST_CODE = 100

/** A handler asks for a later attempt. */
export class LaterError extends ApplicationError {
  override readonly name = 'LaterError'
  /** Until the next attempt, in ms; undefined for the usual backoff. */
  readonly afterMs: number | undefined
  constructor(code: string, afterMs: number | undefined) {
    super('The handler of this event asks for a later attempt.', { code, status: 503, retryable: true })
    this.afterMs = afterMs
  }
}

/** What is left of a `LaterError` while the database is away. */
export interface PutOff {
  readonly code: string
  /** When the next attempt is due, epoch ms. */
  readonly dueAt: number
}

/**
 * Makes what a handler throws to have its event tried later: `throw later('erp-closed', { afterMs: 3_600_000 })`. What it
 * wrote is rolled back, and it is not run again within this delivery. The event is deferred, and due after `afterMs`, by
 * default after the usual backoff. It counts as an attempt.
 * @throws ApplicationError `later-invalid` for a code that is not 1 to 100 visible characters, or an `afterMs` that is not a
 * number from 0 to 30 days. Thrown in a handler, that parks the event.
 */
export function later(code: string, { afterMs }: { afterMs?: number | undefined } = {}): LaterError {
  if (typeof code !== 'string' || !/^[\x21-\x7e]+$/.test(code) || code.length > LONGEST_CODE) {
    throw invalid(`later() needs a code of 1 to ${LONGEST_CODE} visible ASCII characters.`)
  }
  if (afterMs !== undefined && !(typeof afterMs === 'number' && afterMs >= 0 && afterMs <= LONGEST_LATER_MS)) {
    throw invalid(`later() needs an afterMs from 0 to ${LONGEST_LATER_MS}.`)
  }
  return new LaterError(code, afterMs)
}

/** Turns a handler's wish into what is kept of it until the database is there again. */
export function putOff({ code, afterMs }: LaterError, { defaultMs, now = Date.now }: { defaultMs: number; now?: () => number }): PutOff {
  return { code, dueAt: now() + (afterMs ?? defaultMs) }
}

/** Turns that back into what the handler threw: due at the same instant, or at once when that has passed. */
export function fromPutOff({ code, dueAt }: PutOff, { now = Date.now }: { now?: () => number } = {}): LaterError {
  return new LaterError(code, Math.min(LONGEST_LATER_MS, Math.max(0, dueAt - now())))
}

function invalid(message: string): ApplicationError {
  return new ApplicationError(message, { code: 'later-invalid', status: 500 })
}
