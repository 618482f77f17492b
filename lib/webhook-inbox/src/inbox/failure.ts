import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { CommitUnknownError, DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { LaterError } from './later.ts'

/** What an error means for the event that was being applied. */
export type Failure =
  /** The database did not take it, and is not asked to take note of it either. */
  | 'away'
  /** May pass by itself: later. */
  | 'transient'
  /** Would come again. */
  | 'permanent'
  /** The database refuses to store the event, and would again; see `refusalOf`. */
  | 'refused'

/** How far work on an event has got; after `claiming`, whatever fails is its handler's. */
export type Progress = 'connecting' | 'claiming' | 'applying'

// The class of SQLSTATEs for a full disk and the like: no fault of the event's.
const LACK_OF_MEANS = '53'

/** Whose fault a refusal is: of what the event holds, or perhaps of the database's setup, which refuses every event. */
export type Refusal = 'event' | 'setup'

// Data, constraints, WITH CHECK OPTION, limits such as the longest index row, and what triggers and functions raise.
const OF_EVENT = /^(22|23|2F|38|39|44|54|P0)/

/** Whether an error of the database would come again with the same event, however often it is tried. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof CodedError) return undefined
  const { transient, outage, crowded, onlyIfOptedIn = false, code } = classifyError(error)
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || transient || outage || crowded || onlyIfOptedIn) return undefined
  if (code.startsWith(LACK_OF_MEANS)) return undefined
  return OF_EVENT.test(code) ? 'event' : 'setup'
}

/** An error that ended the work on an event, and whether it is the database's own and not the handler's. */
export interface Ended {
  readonly error: unknown
  readonly ofDatabase: boolean
}

/** Judges an error that ended the work on an event. */
export function judgeFailure({ error, ofDatabase }: Ended, progress: Progress): Failure {
  if (progress === 'claiming' && ofDatabase && refusalOf(error) !== undefined) return 'refused'
  if (progress !== 'applying' || (ofDatabase && error instanceof DatabaseUnavailableError)) return 'away'
  if (ofDatabase && error instanceof CommitUnknownError) return 'transient'
  if (error instanceof CodedError) return error.retryable ? 'transient' : 'permanent'
  // A handler's error of another client, such as a refused fetch, may pass by itself: its looks tell when to try again.
  const { transient, outage, onlyIfOptedIn = false, code } = classifyError(error)
  return transient || outage || onlyIfOptedIn || code?.startsWith(LACK_OF_MEANS) ? 'transient' : 'permanent'
}

/**
 * Whether a handler says that its error may pass within this delivery. Errors of a database say no such thing: one of ours has
 * been tried again already, and one of another is not ours to try. `later()` asks for an attempt after this delivery.
 */
export function mayPassSoon(error: unknown): boolean {
  return error instanceof ApplicationError && error.retryable && !(error instanceof LaterError)
}
