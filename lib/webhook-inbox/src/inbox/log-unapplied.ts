import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { failureNote } from './failure-note.ts'
import { LaterError } from './later.ts'

/** An event that was not applied, and why. */
export interface UnappliedEvent {
  readonly source: string
  readonly eventId: string
  readonly type: string
  /** Of how many attempts this was the last, where that is known. */
  readonly attempts?: number
  readonly failure: 'transient' | 'permanent'
  readonly error: unknown
}

/** Logs why an event was not applied: as an error when it waits for a person, as a plain line when its handler asked for it. */
export function logUnapplied({ failure, error, ...event }: UnappliedEvent, logger: Pick<Logger, 'info' | 'warn' | 'error'>): void {
  const { code, invalidPaths } = failureNote(error)
  if (error instanceof LaterError && failure === 'transient') {
    logger.info({ event: 'webhook.deferred', ...event, code, afterMs: error.afterMs })
    return
  }
  const line = { event: 'webhook.failed', failure, ...event, code, ...(invalidPaths === null ? {} : { invalidPaths }), error }
  if (failure === 'permanent') logger.error(line)
  else logger.warn(line)
}
