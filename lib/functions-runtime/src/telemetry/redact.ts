import { CodedError } from '../../../invocation/src/errors.ts'

// Messages of libraries and of the server quote what they were given: values, hosts, user names, statements.
const QUOTED = /"[^"]*"|'[^']*'|`[^`]*`/g
const URL_LIKE = /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi
const PARENTHESISED_VALUE = /=\([^)]*\)/g
const HOST_LIKE = /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b|\b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?\b/gi
const LOOKUP = /\b(getaddrinfo \w+|connect \w+) \S+/g

/** Takes out of a message whatever could be a value, a host or a secret; what remains says what kind of thing went wrong. */
export function redactMessage(message: string): string {
  return message
    .replace(URL_LIKE, '[url]')
    .replace(QUOTED, '[value]')
    .replace(PARENTHESISED_VALUE, '=([value])')
    .replace(LOOKUP, '$1 [host]')
    .replace(HOST_LIKE, '[host]')
}

/** An error as the log shows it: kind, code, redacted message, frames of the stack, and the same for its causes. */
export interface LoggedError {
  type: string
  code?: string | undefined
  message?: string
  constraint?: string
  stack?: string[]
  cause?: LoggedError
}

// A chain of causes longer than this is a loop or noise.
const MAX_CAUSES = 5

/**
 * Turns anything thrown into what may be logged. Of errors that stem from the database only the codes and names are
 * taken: their messages hold values, and their `sql`, `parameters` and `detail` are never looked at.
 */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: error === null ? 'null' : typeof error }
  const fields = error as Error & { code?: unknown; original?: unknown; sql?: unknown; constraint?: unknown }
  const ofServer = fields.original instanceof Error && 'severity' in fields.original
  // A coded error's message is safe by contract, whatever error it was raised for.
  const fromDatabase = !(error instanceof CodedError) && (fields.sql !== undefined || ofServer || 'severity' in error)
  const described: LoggedError = { type: error.name }
  if (typeof fields.code === 'string') described.code = fields.code
  if (!fromDatabase) described.message = redactMessage(error.message)
  if (typeof fields.constraint === 'string') described.constraint = fields.constraint
  const frames = framesOf(error)
  if (frames.length > 0) described.stack = frames
  const cause = fields.original ?? error.cause
  if (cause instanceof Error && cause !== error && depth < MAX_CAUSES) described.cause = describeError(cause, depth + 1)
  return described
}

function framesOf(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .map(line => line.trim())
}
