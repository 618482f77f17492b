import { setTimeout as sleep } from 'node:timers/promises'
import type { ProofTools, ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { startProxy } from '../proxy/proxy.ts'
import { type Lane } from './lane.ts'
import { type ProofDatabase } from './ground.ts'

export interface ToolsOptions {
  readonly lane: Lane
  readonly database: ProofDatabase
  readonly way: ProvenWay
  readonly buffered: boolean
  readonly id: string
}

// Of calls that nothing disturbs.
const CALL_MS = 10_000
// Longer than a circuit breaker stays open.
const LONGEST_REPEATING_MS = 20_000
const RETRY_MS = 100

/** Does the work of an operation before or after its own call, over a proxy of its own. */
export async function undisturbed(work: (tools: ProofTools) => Promise<void>, { lane, database, way, buffered, id }: ToolsOptions): Promise<void> {
  const { stage } = lane
  const proxy = await startProxy({ target: database.targetOf(way), certificates: stage.certificates })
  const called = new Set<string>()
  try {
    await work({
      query: (sql, values) => database.query(sql, values && [...values]),
      async call(functionName, call, { deadlineMs = CALL_MS } = {}) {
        if (!called.has(functionName)) await lane.begin(functionName, stage.variablesOf(functionName, { proxy, database, way, buffered }))
        called.add(functionName)
        const until = performance.now() + LONGEST_REPEATING_MS
        for (;;) {
          const client = await lane.clientOf(functionName)
          const outcome = await client.call(stage.subject.eventOf(functionName, call, id), deadlineMs)
          const answer = outcome.outcome === 'answered' ? stage.subject.answerOf(functionName, outcome.end) : undefined
          if (answer !== undefined && answer.status >= 200 && answer.status < 300) return answer
          if (performance.now() > until)
            throw new Error(`${functionName} did not accept an undisturbed call: ${JSON.stringify(answer ?? outcome)}\n${client.takeOutput()}`)
          await sleep(RETRY_MS)
        }
      },
      async withoutDatabase(away) {
        await proxy.refuse('unreachable')
        proxy.cutAll('reset')
        return away().finally(() => proxy.accept())
      },
    })
  } finally {
    for (const functionName of called) await lane.begin(functionName, {})
    await proxy.stop()
  }
}
