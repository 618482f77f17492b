import { CodedError } from '../../../invocation/src/errors.ts'
import { errorCode } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { type Order, type Result } from './workloads.ts'

/**
 * How an operation ended. `coded` tells an error that the project raises on purpose from one that only slipped through;
 * the server's refusal of a statement of the work itself has its SQLSTATE for a code.
 * `none`: it did not end at all, long after its deadline.
 */
export type Outcome = { kind: 'ok'; result: Result } | { kind: 'error'; code: string; coded: boolean; because: string } | { kind: 'none' }

/** One call as its caller saw it. */
export interface Call {
  order: Order
  outcome: Outcome
  ms: number
  /** How long after its deadline it ended, in ms; negative when it was in time. */
  lateMs: number
  /** Whether the fault takes away what was confirmed, as a failover to a standby that has not received it. */
  mayBeGone?: boolean
}

/** Allowed after the deadline: two cores shared by everything may keep a timer or an answer waiting for so long. */
export const GRACE_MS = 1_000
/** Values, constraints, syntax and rights, limits that the work has set: its caller is told what the server said of it. */
const OF_THE_WORK = /^((22|23|42)...|57014)$/
// A call that hangs is waited for a little, because what it becomes decides whether something was lost as well.
const HUNG_MS = 3_000

/** Waits for one operation, and never longer than its deadline and a bit. */
export async function observe(order: Order, deadlineMs: number, start: () => Promise<Result>): Promise<Call> {
  const startedAt = performance.now()
  const stop = new AbortController()
  const given = new Promise<Outcome>(resolve => {
    const timer = setTimeout(() => resolve({ kind: 'none' }), deadlineMs + GRACE_MS + HUNG_MS)
    stop.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const ended = start().then(
    (result): Outcome => ({ kind: 'ok', result }),
    (error: unknown): Outcome => failed(error),
  )
  const outcome = await Promise.race([ended, given])
  stop.abort()
  const ms = performance.now() - startedAt
  return { order, outcome, ms, lateMs: ms - deadlineMs }
}

function failed(error: unknown): Outcome {
  const because = causesOf(error).join(' < ')
  if (error instanceof CodedError) return { kind: 'error', code: error.code, coded: true, because }
  const sqlstate = errorCode(error)
  if (sqlstate !== undefined && OF_THE_WORK.test(sqlstate)) return { kind: 'error', code: sqlstate, coded: true, because }
  return { kind: 'error', code: error instanceof Error ? `${error.name}: ${error.message}` : typeof error, coded: false, because }
}

function causesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 4) return []
  const { original, code } = error as { original?: unknown; code?: unknown }
  return [`${error.name} ${typeof code === 'string' ? code : ''} ${error.message}`, ...causesOf(original ?? error.cause, depth + 1)]
}
