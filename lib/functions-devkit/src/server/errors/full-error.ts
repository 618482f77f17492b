import { inspect } from 'node:util'
import { type ErrorView } from '../../../../functions-runtime/src/edge/define.ts'
import { ownSourceIn } from './own-source.ts'

/** An error in full, for the machine of its author: nothing is redacted. */
export interface FullError {
  readonly type: string
  readonly message?: string
  readonly code?: string
  /** The innermost line of the application's own code, as `packages/api/user/index.ts:12`. */
  readonly source?: string
  readonly sql?: string
  /** `$1 = 'ann'`. */
  readonly values?: readonly string[]
  /** Where in the statement the server found the mistake. */
  readonly near?: string
  readonly detail?: string
  readonly hint?: string
  readonly constraint?: string
  readonly table?: string
  readonly column?: string
  readonly where?: string
  readonly stack?: readonly string[]
  readonly cause?: FullError
  readonly errors?: readonly FullError[]
}

export interface FullErrorView extends ErrorView {
  describe(error: unknown): FullError
}

type Fields = Readonly<Record<string, unknown>>

// Of the server, in the order in which they are read.
const SERVER_FIELDS = ['detail', 'hint', 'constraint', 'table', 'column', 'where'] as const
// A chain of causes longer than this is a loop or noise.
const MAX_DEPTH = 5
const MOST_ERRORS = 10
// Characters of the statement from the mistake on.
const NEAR = 40
const VALUE = { depth: 3, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 500, maxArrayLength: 50 } as const
// Ten frames, as V8 keeps, end within the framework.
const MOST_FRAMES = 50

/** Makes stacks lead to the TypeScript sources, deep enough to reach the application's own; for the whole process. */
export function mapStacks(): void {
  process.setSourceMapsEnabled(true)
  Error.stackTraceLimit = MOST_FRAMES
}

/** Returns what functions are hosted with, to show errors in full: `main.hostedBy({ errors })`. */
export function fullErrors(checkout: string): FullErrorView {
  const ownSource = ownSourceIn(checkout)
  const sourceOf = (frames: readonly string[]) => {
    for (const frame of frames) {
      const found = ownSource(frame)
      if (found !== undefined) return `${found.file}:${found.line}`
    }
    return undefined
  }

  function describe(error: unknown, depth = 0): FullError {
    if (!(error instanceof Error)) return { type: kindOf(error), message: inspect(error, VALUE) }
    const fields = error as Error & Fields
    const wrapped = wrappedIn(error)
    const frames = framesOf(error)
    const inner = error.cause
    const several = Array.isArray(fields.errors) && depth < MAX_DEPTH ? (fields.errors as unknown[]).slice(0, MOST_ERRORS) : []
    const sql = textOf(fields.sql)
    return onlyKnown({
      type: error.name,
      message: messageOf(error, wrapped),
      code: textOf(fields.code) ?? textOf(wrapped?.code),
      source: sourceOf(frames),
      sql,
      values: valuesOf(fields.parameters),
      near: nearOf(sql, wrapped?.position ?? fields.position),
      ...Object.fromEntries(SERVER_FIELDS.map(name => [name, textOf(fields[name]) ?? textOf(wrapped?.[name])])),
      stack: frames.length > 0 ? frames : undefined,
      cause: inner === undefined || inner === error || inner === wrapped || depth >= MAX_DEPTH ? undefined : describe(inner, depth + 1),
      errors: several.length > 0 ? several.map(one => describeItem(one, depth + 1)) : undefined,
    })
  }

  // Sequelize's items of a validation are no errors, and hold the whole instance.
  function describeItem(item: unknown, depth: number): FullError {
    const { message } = (item ?? {}) as Fields
    return item instanceof Error || typeof message !== 'string' ? describe(item, depth) : { type: kindOf(item), message }
  }

  return {
    describe(error) {
      try {
        return describe(error)
      } catch {
        return { type: 'unreadable', message: 'reading the error threw another one' }
      }
    },
    detailOf: error => (error instanceof Error ? `${error.name}: ${messageOf(error, wrappedIn(error))}` : inspect(error, VALUE)),
  }
}

/** The server's own error in one of Sequelize's, which repeats it. Errors raised on purpose have theirs as `cause`. */
function wrappedIn(error: Error): (Error & Fields) | undefined {
  const { original } = error as Error & Fields
  return Object.hasOwn(error, 'original') && original instanceof Error ? (original as Error & Fields) : undefined
}

function messageOf({ message }: Error, wrapped: Error | undefined): string {
  return wrapped === undefined || message.includes(wrapped.message) ? message : `${message}: ${wrapped.message}`
}

function valuesOf(parameters: unknown): string[] | undefined {
  if (typeof parameters !== 'object' || parameters === null) return undefined
  const values = Object.entries(parameters).map(([key, value]) => `$${Array.isArray(parameters) ? Number(key) + 1 : key} = ${inspect(value, VALUE)}`)
  return values.length > 0 ? values : undefined
}

function nearOf(sql: string | undefined, position: unknown): string | undefined {
  const at = Number(position)
  return sql === undefined || !(at > 0) ? undefined : sql.slice(at - 1, at - 1 + NEAR)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
}

function framesOf(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .map(line => line.trim())
}

function onlyKnown(fields: { [Name in keyof FullError]: FullError[Name] | undefined }): FullError {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as FullError
}
