import { CodedError } from '../../../invocation/src/errors.ts'
import { classifyError, errorCode } from './classify-error.ts'
import { isRefusal } from './is-refusal.ts'

/** Error classes of Sequelize that stand-alone calls and transactions end with. */
export interface ErrorClasses {
  readonly BaseError: new (message?: string) => Error
  readonly ConnectionError: new (parent: Error) => Error
  readonly ConnectionAcquireTimeoutError: new (parent: Error) => Error
  readonly DatabaseError: new (parent: Error) => Error
}

interface Annotated extends Error {
  code?: string
  retryable?: boolean
  sql?: unknown
  parameters?: unknown
}

// Mistakes of the calling code, and the end of the instance: no class of Sequelize says that.
const OWN = ['nested-operation', 'shut-down']
const OF_WAITING = ['database-busy', 'deadline-exceeded']

const ofHooks = new WeakSet<object>()
const hookErrors = new WeakMap<object, unknown>()

/** Remembers an error that a hook of the application threw while a connection was made: it is told as it is. */
export function noteHookError(error: unknown): void {
  if (typeof error === 'object' && error !== null) ofHooks.add(error)
}

/** Wraps the error of a hook, so that Sequelize does not add the statement to it; `annotate` takes it out again. */
export function wrapHookError(error: Error): Error {
  if (!ofHooks.has(error)) return error
  const wrapping = new Error('a hook of the application failed')
  hookErrors.set(wrapping, error)
  return wrapping
}

/**
 * What a stand-alone call throws: an error of Sequelize's own classes, with `code` (a SQLSTATE, an errno or a code of this
 * package) and `retryable` added. Errors of other code pass as they are.
 */
export function annotate(error: unknown, classes: ErrorClasses): unknown {
  const coded = find(error, part => part instanceof CodedError) as CodedError | undefined
  if (coded === undefined) {
    // Sequelize wraps what a connection attempt threw into the error of the statement.
    const inner = (error as { original?: unknown } | undefined)?.original
    if (typeof inner === 'object' && inner !== null && hookErrors.has(inner)) return hookErrors.get(inner)
    const thrown = inner instanceof classes.BaseError ? inner : error
    if (!(thrown instanceof classes.BaseError)) return error
    return mark(thrown, (thrown as Annotated).code ?? errorCode(thrown) ?? codeOfLoss(thrown), classifyError(thrown).transient)
  }
  if (OWN.includes(coded.code)) return coded
  const { code, retryable } = coded
  const met = find(coded.cause, part => part instanceof classes.BaseError && isFromDriver(part)) as Error | undefined
  if (met !== undefined) return mark(met, code, retryable)
  const cause = find(coded.cause, isFromDriver) as Error | undefined
  if (cause === undefined) {
    const Class = OF_WAITING.includes(code) ? classes.ConnectionAcquireTimeoutError : classes.ConnectionError
    return mark(new Class(coded), code, retryable)
  }
  // Sequelize's own error has {} where there were no values.
  const { sql, parameters } = ((error as { original?: unknown }).original ?? error) as Annotated
  const wrapped = new classes.DatabaseError(Object.assign(cause, sql === undefined ? {} : { sql, parameters }))
  // The server's own answer says more than that the statement was repeated without success.
  return mark(wrapped, OF_WAITING.includes(code) && isRefusal(cause) ? errorCode(cause) : code, retryable)
}

// pg reports some lost connections in words alone, such as one that ended between two statements of a transaction.
function codeOfLoss(error: Error): string | undefined {
  const { key, connection, outage } = classifyError(error)
  return key !== 'unknown' && (outage || connection === 'drop') ? 'database-unavailable' : undefined
}

function isFromDriver(part: unknown): boolean {
  return part instanceof Error && !(part instanceof CodedError)
}

function mark(error: Error, code: string | undefined, retryable: boolean): Error {
  const annotated = error as Annotated
  if (code !== undefined) annotated.code = code
  annotated.retryable = retryable
  return error
}

function find(error: unknown, fits: (part: unknown) => boolean): unknown {
  const seen = new Set<unknown>()
  let part = error
  while (typeof part === 'object' && part !== null && !seen.has(part)) {
    if (fits(part)) return part
    seen.add(part)
    const { original, cause } = part as { original?: unknown; cause?: unknown }
    part = original ?? cause
  }
  return undefined
}
