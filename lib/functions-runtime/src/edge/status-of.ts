import { ApplicationError } from './http-errors.ts'
import type { CodedError } from '../../../invocation/src/errors.ts'

/** The HTTP status of each code that a package below the runtime raises; packages know no HTTP. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'database-unavailable': 503,
  'database-busy': 503,
  'shut-down': 503,
  'pooler-refused': 503,
  'unsupported-server': 503,
  'server-read-only': 503,
  'deadline-exceeded': 504,
  'migration-breaking': 409,
}

/** The HTTP status with which an error is answered; 500 for a code that has none. */
export function statusOf(error: CodedError): number {
  return error instanceof ApplicationError ? error.status : (STATUS_BY_CODE[error.code] ?? 500)
}
