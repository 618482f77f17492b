import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProofTools, ProvenOperation, ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { startProxy, type Proxy } from '../proxy/proxy.ts'
import { type WireMessage } from '../proxy/wire.ts'
import { strike, type Struck } from './strike.ts'
import { type ProvenFault } from './faults.ts'
import { type ProofDatabase } from './ground.ts'
import { type EffectRow, type History, type HistoryEvent } from './history.ts'
import { type Lane } from './lane.ts'
import { whatIsLeft } from './left.ts'
import { type NumberedPoint } from './points.ts'
import { undisturbed } from './tools.ts'

/** What a run does: an operation by one way, cut at a point or, to be recorded, undisturbed. */
export interface RunOptions {
  readonly operation: ProvenOperation
  readonly way: ProvenWay
  readonly cut?: { readonly point: NumberedPoint; readonly fault: ProvenFault }
  readonly signal?: AbortSignal | undefined
}

export interface RunResult {
  readonly history: History
  /** Whether the cut point was reached; true without one. */
  readonly reached: boolean
  readonly messages: readonly WireMessage[]
  /** What the client has printed, and the sessions that were left. */
  readonly output: string
}

/** A run whose call is acknowledged, or given up. The lane is free; the result follows when nothing can change any more. */
export interface Running {
  readonly result: Promise<RunResult>
}

const DEADLINE_MS = 2_000
const RETRY_MS = 50
// A sender that is sent away for so long has found an outage that does not end.
const LONGEST_REPEATING_MS = 30_000

/** Runs an operation once: cold, with its call repeated until it is acknowledged. */
export async function run(lane: Lane, options: RunOptions): Promise<Running> {
  const { operation, way, cut, signal } = options
  const { buffered = false } = operation
  const id = `p${randomBytes(8).toString('hex')}`
  const database = await lane.ground.borrow(way)
  const around = (work: ((id: string, tools: ProofTools) => Promise<void>) | undefined) =>
    work && undisturbed(tools => work(id, tools), { lane, database, way, buffered, id })
  await around(operation.before)

  const proxy = await startProxy({ target: database.targetOf(way), certificates: lane.stage.certificates })
  const startedAt = performance.now()
  const at = () => Math.round(performance.now() - startedAt)
  const events: HistoryEvent[] = []
  let struck: Struck | undefined
  try {
    await lane.begin(operation.function, lane.stage.variablesOf(operation.function, { proxy, database, way, buffered }))
    const recording = proxy.record()
    const note = (fault: { fault: string; point?: string }) => void events.push({ at: at(), event: 'fault', ...fault })
    struck = cut && (await strike(cut, { lane, proxy, operation, note }))
    await repeatUntilAcknowledged(lane, { ...options, id, events, at })
    recording.end()
    const client = await lane.clientOf(operation.function)
    const output = client.takeOutput()
    await client.begin({})
    await struck?.mended()
    await around(operation.after)
    const end = concludeRun({ database, proxy, way, operation, id, signal, stop: () => struck?.stop() })
    const beginning = { run: id, operation: operation.name, ...(operation.amount !== undefined && { amount: operation.amount }) }
    const reached = struck?.reached() ?? true
    const concluded = ({ found, sessions }: Awaited<typeof end>): RunResult => ({
      history: { ...beginning, events, ...found },
      reached,
      messages: recording.messages(),
      output: [output, ...sessions.map(session => `session left: ${session}\n`)].join(''),
    })
    return { result: end.then(concluded) }
  } catch (error) {
    struck?.stop()
    await proxy.stop()
    throw error
  }
}

interface Repeating extends RunOptions {
  readonly id: string
  readonly events: HistoryEvent[]
  readonly at: () => number
}

/** Calls as a sender does: a new call after each that failed. */
async function repeatUntilAcknowledged(lane: Lane, { operation, id, events, at, signal }: Repeating): Promise<void> {
  const { stage } = lane
  for (let attempt = 1; at() < LONGEST_REPEATING_MS; attempt += 1) {
    signal?.throwIfAborted()
    const client = await lane.clientOf(operation.function)
    const event = stage.subject.eventOf(operation.function, operation.request(id), id)
    events.push({ at: at(), event: 'sent', id, attempt })
    const outcome = await client.call(event, operation.deadlineMs ?? DEADLINE_MS)
    const end = { at: at(), id, attempt }
    if (outcome.outcome === 'answered') {
      const { status, body } = stage.subject.answerOf(operation.function, outcome.end)
      const code = body.code ?? body.outcome
      events.push({ ...end, event: 'answered', status, ...(typeof code === 'string' && { code }) })
      if (status >= 200 && status < 300) return
    } else if (outcome.outcome === 'hung') events.push({ ...end, event: 'hung', lateMs: outcome.lateMs })
    else events.push({ ...end, event: 'failed', reason: outcome.reason })
    await sleep(RETRY_MS, undefined, signal && { signal })
  }
}

async function concludeRun(run: {
  readonly database: ProofDatabase
  readonly proxy: Proxy
  readonly way: ProvenWay
  readonly operation: ProvenOperation
  readonly id: string
  readonly signal: AbortSignal | undefined
  readonly stop: () => void
}): Promise<{ readonly found: Pick<History, 'rows' | 'left'>; readonly sessions: readonly string[] }> {
  const { database, proxy, way, operation, id, signal, stop } = run
  try {
    const { left, sessions } = await whatIsLeft(database, way, signal)
    const rows = await database.query<EffectRow>(operation.effects, [[id]])
    // Others would find what is left.
    if (left.sessions + left.locks === 0) database.release()
    return { found: { rows, left }, sessions }
  } finally {
    stop()
    await proxy.stop()
  }
}
