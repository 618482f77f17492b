import { pino, type DestinationStream, type Logger } from 'pino'
import type { LogSettings } from '../settings/log.ts'
import { describeError } from './redact.ts'

export type { DestinationStream, Logger } from 'pino'

/**
 * A logger for one function: JSON lines on standard output, written before the call returns, since a container may
 * be frozen right after its answer. Objects given as `error` are reduced to what may be logged.
 */
export function createLogger({
  name,
  level,
  destination = synchronousOutput(),
}: {
  name: string
  level: LogSettings['level']
  destination?: DestinationStream
}): Logger {
  return pino(
    {
      level,
      base: { function: name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: describeError },
      redact: { paths: ['authorization', 'password', 'secret', 'key', '*.authorization', '*.password', '*.secret', '*.key'], censor: '[redacted]' },
    },
    destination,
  )
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
