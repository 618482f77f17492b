import { pino, type DestinationStream, type Logger } from 'pino'
import type { LogSettings } from '../settings/log.ts'
import { describeError } from './redact.ts'

export type { DestinationStream, Logger } from 'pino'

// Children inherit it.
const SHOWS_ERRORS = Symbol('shows errors')

/**
 * A logger for one function: JSON lines on standard output, written before the call returns, since a container may
 * be frozen right after its answer. Objects given as `error` are reduced to what may be logged.
 */
export function createLogger({
  name,
  level,
  destination = synchronousOutput(),
  showError = describeError,
}: {
  name: string
  level: LogSettings['level']
  destination?: DestinationStream
  /** Returns what a line shows of an error. */
  showError?: (error: unknown) => object
}): Logger {
  const logger = pino(
    {
      level,
      base: { function: name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: showError },
      redact: { paths: ['authorization', 'password', 'secret', 'key', '*.authorization', '*.password', '*.secret', '*.key'], censor: '[redacted]' },
    },
    destination,
  )
  return Object.assign(logger, { [SHOWS_ERRORS]: true })
}

/** Returns the logger if it is one of ours, or a child of one; else one that writes to it and reduces errors to what may be logged. */
export function withShownErrors(logger: Logger): Logger {
  return SHOWS_ERRORS in logger ? logger : logger.child({}, { serializers: { error: describeError } })
}

// Opened with the first line: many a call of a quiet function has none.
function synchronousOutput(): DestinationStream {
  let output: DestinationStream | undefined
  return {
    write(line) {
      output ??= pino.destination({ fd: 1, sync: true })
      output.write(line)
    },
  }
}
