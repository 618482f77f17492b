import { ContentError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { backoffMs } from './attempt-times.ts'
import { LaterError } from './later.ts'

/** What is stored of an error that kept an event from being applied: nothing of the event but names. */
export interface FailureNote {
  readonly code: string
  /** JSON Pointers, or names of headers, of what does not fit; null unless that was the error. */
  readonly invalidPaths: readonly string[] | null
}

// What the table takes.
const LONGEST_CODE = 100
// Enough for a person to begin with; a list of 500 events has to fit into an answer of 1 MB.
const MOST_PATHS = 10
const LONGEST_PATH = 100

/** Picks out of an error what is stored. Never empty, and nothing that the table refuses: that would lose the event. */
export function failureNote(error: unknown): FailureNote {
  const code = String(codeOf(error))
    .replace(/[^\x21-\x7e]/g, '')
    .slice(0, LONGEST_CODE)
  return { code: code === '' ? 'failed' : code, invalidPaths: error instanceof ContentError ? pathsOf(error) : null }
}

/** How long after its `attempts`-th attempt an event that failed so is due again, in ms. */
export function untilNextMs(error: unknown, attempts: number): number {
  return (error instanceof LaterError ? error.afterMs : undefined) ?? backoffMs(attempts)
}

// A path holds keys as the sender wrote them: a JSON column takes no NUL and no half of a surrogate pair.
function pathsOf({ issues }: ContentError): string[] {
  const paths = new Set(issues.map(({ path }) => path))
  return [...paths].slice(0, MOST_PATHS).map(path => path.slice(0, LONGEST_PATH).replaceAll('\0', '\ufffd').toWellFormed())
}
