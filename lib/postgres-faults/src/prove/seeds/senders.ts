import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvenOperation } from '../../../../functions-runtime/src/api/proofs.ts'
import { type ProofDatabase } from '../ground.ts'
import { type EffectRow, type History, type HistoryEvent } from '../history.ts'
import { type Subject } from '../subject.ts'
import { type Schedule, type Step } from './schedule.ts'
import { type Seats } from './seats.ts'

const DEADLINE_MS = 2_000
const MAINTENANCE_MS = 5_000
// What a sender waits after each failure, half as long again each time.
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 800
// A sender that is sent away for so long, with no fault left, has found an outage that does not end.
const LONGEST_REPEATING_MS = 30_000

/** A request as it is sent, with its id. */
export interface SentRequest {
  readonly operation: ProvenOperation
  readonly id: string
}

export interface SendersOptions {
  /** Every id begins with it. */
  readonly run: string
  readonly subject: Subject
  readonly operations: readonly ProvenOperation[]
  readonly seats: Seats
}

/** All senders of one run, and the schedules of project.yml; both call containers, and what becomes of it is noted. */
export interface Senders {
  /** Returns every request of a schedule once. */
  requestsOf(schedule: Schedule): readonly SentRequest[]
  /** Returns the functions that a schedule calls. */
  functionsOf(schedule: Schedule): readonly string[]
  /** Begins the time of the histories. */
  start(): void
  note(fault: string): void
  begin(step: Call): void
  /** Waits until every request is acknowledged, or given up. */
  end(): Promise<void>
  /** Returns one history for each operation that was sent. */
  histories(database: Pick<ProofDatabase, 'query'>, left: History['left']): Promise<readonly History[]>
}

type Call = Step & { readonly do: 'send' | 'maintain' }

/** Makes the senders of one run. */
export function openSenders({ run, subject, operations, seats }: SendersOptions): Senders {
  let startedAt = performance.now()
  const events: HistoryEvent[] = []
  const problems: string[] = []
  const attempts = new Map<string, number>()
  const requests = new Map<string, SentRequest>()
  const sending: Promise<void>[] = []
  const at = () => Math.round(performance.now() - startedAt)
  let endsAt = Number.POSITIVE_INFINITY

  function requestOf({ operation: name, request }: Step & { do: 'send' }): SentRequest {
    const place = operations.findIndex(one => one.name === name)
    const operation = operations[place]
    if (operation === undefined) throw new Error(`There is no operation ${name}`)
    const id = `${run}${String.fromCharCode(97 + place)}${request}`
    const sent = requests.get(id) ?? { operation, id }
    requests.set(id, sent)
    return sent
  }

  /** Calls as a sender does: a new call after each that failed. */
  async function send({ operation, id }: SentRequest, container: number): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; performance.now() < endsAt; waitMs = Math.min(LONGEST_RETRY_MS, waitMs * 1.5)) {
      let attempt = 0
      const outcome = await seats.call(operation.function, container, {
        event: () => subject.eventOf(operation.function, operation.request(id), id),
        deadlineMs: operation.deadlineMs ?? DEADLINE_MS,
        begun() {
          attempt = (attempts.get(id) ?? 0) + 1
          attempts.set(id, attempt)
          events.push({ at: at(), event: 'sent', id, attempt })
        },
      })
      const end = { at: at(), id, attempt }
      switch (outcome.outcome) {
        case 'answered': {
          const { status, body } = subject.answerOf(operation.function, outcome.end)
          const code = body.code ?? body.outcome
          events.push({ ...end, event: 'answered', status, ...(typeof code === 'string' && { code }) })
          if (status >= 200 && status < 300) return
          break
        }
        case 'hung':
          events.push({ ...end, event: 'hung', lateMs: outcome.lateMs })
          break
        case 'failed':
          events.push({ ...end, event: 'failed', reason: outcome.reason })
          break
        case 'paused':
          events.push({ ...end, event: 'failed', reason: 'its container was stopped beyond the deadline' })
      }
      await sleep(waitMs)
    }
  }

  async function maintain(container: number): Promise<void> {
    for (const { name, qualifiedName, event } of subject.schedules) {
      const outcome = await seats.call(qualifiedName, container, { event: () => event, deadlineMs: MAINTENANCE_MS })
      if (outcome.outcome === 'hung') problems.push(`schedule ${name} had no answer ${outcome.lateMs} ms after its deadline`)
    }
  }

  return {
    requestsOf: ({ steps }) => [...new Set(steps.flatMap(step => (step.do === 'send' ? [requestOf(step)] : [])))],
    functionsOf({ steps }) {
      const called = steps.flatMap(step => {
        if (step.do === 'send') return [requestOf(step).operation.function]
        return step.do === 'maintain' ? subject.schedules.map(({ qualifiedName }) => qualifiedName) : []
      })
      return [...new Set(called)]
    },
    start: () => void (startedAt = performance.now()),
    note: fault => void events.push({ at: at(), event: 'fault', fault }),
    begin(step) {
      for (let copy = 0; copy < step.copies; copy += 1) {
        const container = step.container + copy
        sending.push(step.do === 'send' ? send(requestOf(step), container) : maintain(container))
      }
    },
    async end() {
      endsAt = performance.now() + LONGEST_REPEATING_MS
      await Promise.all(sending)
    },
    async histories(database, left) {
      const found: History[] = []
      for (const [operation, sent] of Map.groupBy(requests.values(), one => one.operation)) {
        const ids = new Set(sent.map(({ id }) => id))
        const rows = await database.query<EffectRow>(operation.effects, [[...ids]])
        const { name, amount } = operation
        // What belongs to the whole run is told once.
        const whole = found.length === 0 ? { left, problems } : { left: { sessions: 0, locks: 0 } }
        found.push({
          run: `${run} ${name}`,
          operation: name,
          ...(amount !== undefined && { amount }),
          events: events.filter(event => event.event === 'fault' || ids.has(event.id)),
          rows,
          ...whole,
        })
      }
      return found
    },
  }
}
