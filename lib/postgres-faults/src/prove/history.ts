/** One thing that happened in a run, `at` ms after the run's start. */
export type HistoryEvent =
  | { readonly at: number; readonly event: 'sent'; readonly id: string; readonly attempt: number }
  /** `code`: the problem's code, or the outcome. */
  | {
      readonly at: number
      readonly event: 'answered'
      readonly id: string
      readonly attempt: number
      readonly status: number
      readonly code?: string
    }
  /** No answer: the platform would report a crash or a timeout. */
  | { readonly at: number; readonly event: 'failed'; readonly id: string; readonly attempt: number; readonly reason: string }
  /** No answer by the deadline and its grace. */
  | { readonly at: number; readonly event: 'hung'; readonly id: string; readonly attempt: number; readonly lateMs: number }
  /** What was done to the run, in words. */
  | { readonly at: number; readonly event: 'fault'; readonly fault: string; readonly point?: string }

/** How often a request was applied, and what it came to, in the tables that users see. */
export interface EffectRow {
  readonly id: string
  readonly times: number
  /** A decimal number. */
  readonly amount?: string
}

/** Everything that the checker reads of one run. */
export interface History {
  /** A name that no other run of the file has. */
  readonly run: string
  readonly operation: string
  /** What each applied id comes to, as a decimal number. Without it amounts are not compared. */
  readonly amount?: string
  readonly events: readonly HistoryEvent[]
  /** Read when nothing could change any more. */
  readonly rows: readonly EffectRow[]
  /** Sessions and locks that were still held on the server. */
  readonly left: { readonly sessions: number; readonly locks: number }
  /** What the application's own check found. */
  readonly problems?: readonly string[]
}

type Beginning = Pick<History, 'run' | 'operation' | 'amount'>
type End = Pick<History, 'rows' | 'left' | 'problems'>

interface ReadRun {
  readonly beginning: Beginning
  readonly events: HistoryEvent[]
  end: End | undefined
}

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

const isText: Check = value => typeof value === 'string'
const isNumber: Check = value => typeof value === 'number' && Number.isFinite(value)
const optional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
const listOf =
  (check: Check): Check =>
  value =>
    Array.isArray(value) && value.every(check)
const shapeOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  value =>
    typeof value === 'object' && value !== null && Object.entries(fields).every(([name, check]) => check((value as Fields)[name]))

const request = { at: isNumber, id: isText, attempt: isNumber }
const EVENTS: Readonly<Record<HistoryEvent['event'], Check>> = {
  sent: shapeOf(request),
  answered: shapeOf({ ...request, status: isNumber, code: optional(isText) }),
  failed: shapeOf({ ...request, reason: isText }),
  hung: shapeOf({ ...request, lateMs: isNumber }),
  fault: shapeOf({ at: isNumber, fault: isText, point: optional(isText) }),
}
const isBeginning = shapeOf({ run: isText, operation: isText, amount: optional(isText) })
const isEnd = shapeOf({
  rows: listOf(shapeOf({ id: isText, times: isNumber, amount: optional(isText) })),
  left: shapeOf({ sessions: isNumber, locks: isNumber }),
  problems: optional(listOf(isText)),
})

/** Returns a history as JSON lines: its beginning, one line per event, and what was found at the end. Each names the run. */
export function writeHistory({ run, operation, amount, events, rows, left, problems }: History): string {
  const lines = [{ operation, amount }, ...events, { rows, left, problems }]
  return lines.map(line => `${JSON.stringify({ run, ...line })}\n`).join('')
}

/**
 * Reads the histories of JSON lines, in the order in which their runs begin. The lines of several runs may be mixed.
 * @throws Error naming the line that is no part of a history, or the run that has no end.
 */
export function readHistories(text: string): readonly History[] {
  const runs = new Map<unknown, ReadRun>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const fields = parse(line)
    const { run: name, ...rest } = fields
    const run = runs.get(name)
    if (!(run === undefined ? isBeginning(fields) : run.end === undefined && (isEvent(rest) || isEnd(rest)))) {
      throw new Error(`Line ${index + 1} is not the next line of a history: ${line}`)
    }
    if (run === undefined) runs.set(name, { beginning: fields as unknown as Beginning, events: [], end: undefined })
    else if (isEvent(rest)) run.events.push(rest as unknown as HistoryEvent)
    else run.end = rest as unknown as End
  }
  return [...runs.values()].map(({ beginning, events, end }) => {
    if (end === undefined) throw new Error(`The history of run ${beginning.run} has no end: the program that wrote it was cut off.`)
    return { ...beginning, events, ...end }
  })
}

function isEvent(fields: Fields): boolean {
  const { event } = fields
  return typeof event === 'string' && Object.hasOwn(EVENTS, event) && EVENTS[event as HistoryEvent['event']](fields)
}

/** The fields of a line; none for a line that is not JSON. */
function parse(line: string): Fields {
  try {
    return Object(JSON.parse(line)) as Fields
  } catch {
    return {}
  }
}
