import { CodedError } from '../../../invocation/src/errors.ts'
import { NestedOperationError } from '../errors/errors.ts'

// What the database, or the way to it, did to an operation; everything else is the work's own.
const OF_DATABASE = ['database-unavailable', 'database-busy', 'deadline-exceeded', 'commit-unknown', 'transaction-rolled-back'] as const

/** How an operation ended, as it is counted. */
export type OperationOutcome = 'ok' | 'refused-by-breaker' | 'refused' | 'failed' | (typeof OF_DATABASE)[number]

/** `refused`: the work said no on purpose, as of something that does not exist. */
export function outcomeOf(
  error: unknown,
  { ofDatabase, isExpected = isCoded }: { ofDatabase: boolean; isExpected?: ((error: unknown) => boolean) | undefined },
): OperationOutcome {
  const known = ofDatabase && error instanceof CodedError ? OF_DATABASE.find(code => code === error.code) : undefined
  return known ?? (isExpected(error) ? 'refused' : 'failed')
}

function isCoded(error: unknown): boolean {
  return error instanceof CodedError && !(error instanceof NestedOperationError)
}
