import type { ProvenOperation, ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { type WireMessage } from '../proxy/wire.ts'
import { check } from './checker.ts'
import { type Lane } from './lane.ts'
import { areSame, cutPoints, type NumberedPoint } from './points.ts'
import { run } from './run.ts'

/** An operation by one way, as it goes over the wire when nothing disturbs it. */
export interface Part {
  readonly operation: ProvenOperation
  readonly way: ProvenWay
  readonly messages: readonly WireMessage[]
  readonly points: readonly NumberedPoint[]
}

// The first one loads the client's code; on a busy machine a retry may add messages.
const MOST_RUNS = 5

/** An operation does not do what it is declared to do, or not in the same way twice. */
export class UnprovableError extends Error {
  override readonly name = 'UnprovableError'
}

/**
 * Records an operation until two runs in succession have the same messages.
 * @throws UnprovableError when they never have, or when an undisturbed run has a problem
 */
export async function record(lane: Lane, operation: ProvenOperation, way: ProvenWay, signal?: AbortSignal): Promise<Part> {
  let last: readonly WireMessage[] = []
  for (let runs = 1; runs <= MOST_RUNS; runs += 1) {
    const { history, messages, output } = await (await run(lane, { operation, way, signal })).result
    const problems = check(history)
    if (problems.length > 0) {
      throw new UnprovableError(
        `${operation.name}, ${way}, fails without any fault:\n${problems.map(({ kind, text }) => `${kind}: ${text}\n`).join('')}${JSON.stringify(history.events)}\n${output}`,
      )
    }
    if (areSame(last, messages)) return { operation, way, messages, points: cutPoints(messages) }
    last = messages
  }
  throw new UnprovableError(`${operation.name}, ${way}: no two of ${MOST_RUNS} runs had the same messages`)
}
