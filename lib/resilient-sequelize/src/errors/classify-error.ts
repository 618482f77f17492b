import { CodedError } from '../../../invocation/src/errors.ts'
import { errorChain, readField } from './error-chain.ts'
import { isLastWord } from './is-refusal.ts'
import { isStale } from './stale-statement.ts'
import { errorTable, LOST, STALE_STATEMENT, type ErrorAnswers, type ErrorRow } from './table.ts'

/** What an error means for the operation that met it. */
export interface Classification extends ErrorAnswers {
  /** The row of the table that decided, or `unknown`. */
  readonly key: string
  /** The SQLSTATE, or the code of the operating system, of the resolver or of TLS. */
  readonly code: string | undefined
}

type Fields = Readonly<Record<string, unknown>>

const UNKNOWN = { key: 'unknown', transient: false, replay: 'no', outage: false, crowded: false } as const
/** Key of an error that the server only reports to a session that goes on, behind which the connection ended all the same. */
export const SESSION_ENDED = 'session-ended'
const UNIQUE_VIOLATION = '23505'
const FATAL = ['FATAL', 'PANIC']

/**
 * Looks an error up in the table, under everything it may be wrapped in: by SQLSTATE, then by errno, then by text, and
 * last by the name of its class. Of several codes wrapped into each other the innermost decides; of several texts the
 * outermost, because the words that pg and its pool put around others are the more precise ones. Never throws.
 */
export function classifyError(error: unknown): Classification {
  const chain = errorChain(error) as Fields[]
  const fromServer = chain.find(part => sqlstateOf(part) !== undefined)
  if (fromServer) return classifyFromServer(fromServer)
  const found = find(chain, fitsErrno) ?? find(chain.toReversed(), fitsText) ?? find(chain, fitsClassName)
  const code = chain.map(errnoOf).find(errno => errno !== undefined)
  if (found) return classification(found, code)
  // Without a code, what the driver threw leaves open in which state its connection is. The rest is the error of some
  // code around it, which leaves connections alone.
  return { ...UNKNOWN, connection: chain.some(isFromDriver) ? 'drop' : 'keep', code }
}

/** The SQLSTATE or errno of an error, looked for under the wrappings that sequelize puts around it. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? textOf(rootOf(error), 'code') : undefined
}

/** Name of the unique constraint that an error reports as violated, if that is what it reports. */
export function violatedUniqueConstraint(error: unknown): string | undefined {
  return error instanceof Error && errorCode(error) === UNIQUE_VIOLATION ? textOf(rootOf(error), 'constraint') : undefined
}

function classifyFromServer(part: Fields): Classification {
  const code = sqlstateOf(part) as string
  const fatal = FATAL.includes(textOf(part, 'severity') ?? '')
  const found = errorTable.find(row => (isStale(part) ? row.key === STALE_STATEMENT : fitsServer(row, part, code)))
  // It says nothing of the statement: whatever it is called, the connection went with it.
  if (isLastWord(part) && (found === undefined || found.connection === 'keep')) return { ...LOST, key: SESSION_ENDED, crowded: false, code }
  if (!found) return { ...UNKNOWN, connection: fatal ? 'drop' : 'keep', code }
  const known = classification(found, code)
  // After FATAL the server ends the session, whatever it was about.
  return fatal && known.connection === 'keep' ? { ...known, connection: 'drop' } : known
}

function classification({ name: _name, match: _match, ...answers }: ErrorRow, code: string | undefined): Classification {
  return { ...answers, code }
}

function find(chain: readonly Fields[], fits: (row: ErrorRow, part: Fields) => boolean): ErrorRow | undefined {
  for (const part of chain) {
    const found = errorTable.find(row => fits(row, part))
    if (found) return found
  }
  return undefined
}

function fitsServer({ match }: ErrorRow, part: Fields, code: string): boolean {
  if (!('sqlstate' in match) || !code.startsWith(match.sqlstate)) return false
  if (match.routine !== undefined && match.routine !== textOf(part, 'routine')) return false
  return match.text?.test(textOf(part, 'message') ?? '') ?? true
}

function fitsErrno({ match }: ErrorRow, part: Fields): boolean {
  const errno = errnoOf(part)
  if (!('errno' in match) || errno === undefined) return false
  const fits = typeof match.errno === 'string' ? match.errno === errno : match.errno.test(errno)
  return fits && (match.during?.includes(textOf(part, 'syscall') ?? '') ?? true)
}

function fitsText({ match }: ErrorRow, part: Fields): boolean {
  return 'text' in match && !('sqlstate' in match) && (match.text?.test(textOf(part, 'message') ?? '') ?? false)
}

function fitsClassName({ match }: ErrorRow, part: Fields): boolean {
  return 'className' in match && match.className === textOf(part, 'name')
}

function rootOf(error: Error): Fields {
  const seen = new Set<Error>()
  let root = error
  for (let next: unknown = root; next instanceof Error && !seen.has(next); next = readField(root, 'original')) {
    seen.add(next)
    root = next
  }
  return root as unknown as Fields
}

// The server's errors bear a severity. Codes of five characters of another origin, such as EPIPE, have no digit.
function sqlstateOf(part: Fields): string | undefined {
  const code = textOf(part, 'code')
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return undefined
  return textOf(part, 'severity') !== undefined || /\d/.test(code) ? code : undefined
}

function errnoOf(part: Fields): string | undefined {
  const code = textOf(part, 'code')
  return code !== undefined && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : undefined
}

function isFromDriver(part: Fields): boolean {
  return (readField(part, 'original') instanceof Error && !(part instanceof CodedError)) || textOf(part, 'syscall') !== undefined
}

function textOf(part: Fields, name: string): string | undefined {
  const value = readField(part, name)
  return typeof value === 'string' ? value : undefined
}
