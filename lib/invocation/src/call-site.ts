import { marksCalls } from './invocation-scope.ts'

const FRAME = /^\s+at /

/**
 * Returns a note of the code that calls right now, if the running invocation marks its calls; else `undefined`, at the cost of
 * one look. An error that arrives later, through a socket or a retry, no longer knows that code.
 */
export function noteCaller(): Error | undefined {
  return marksCalls() ? new Error('the caller') : undefined
}

/** Adds the frames of the caller to the stack of an error, unless they are there; returns the error. */
export function withCaller<Thrown>(error: Thrown, caller: Error | undefined): Thrown {
  if (caller === undefined || !(error instanceof Error)) return error
  const known = new Set(framesOf(error))
  const added = framesOf(caller).filter(frame => !known.has(frame))
  if (added.length > 0) error.stack = [error.stack ?? `${error.name}: ${error.message}`, ...added].join('\n')
  return error
}

function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter(line => FRAME.test(line))
}
