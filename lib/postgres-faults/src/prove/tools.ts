import { setTimeout as sleep } from 'node:timers/promises'
import type { ProofTools, ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { startProxy } from '../proxy/proxy.ts'
import { type Lane } from './lane.ts'
import { type ProofDatabase } from './ground.ts'

export interface ToolsOptions {
  readonly lane: Lane
  readonly database: ProofDatabase
  readonly way: ProvenWay
  readonly id: string
}

// Of calls that nothing disturbs.
const CALL_MS = 10_000
const MOST_TRIES = 20
const RETRY_MS = 100

/** Does the work of an operation before or after its own call, over a proxy of its own. */
export async function undisturbed(work: (tools: ProofTools) => Promise<void>, { lane, database, way, id }: ToolsOptions): Promise<void> {
  const { stage } = lane
  const proxy = await startProxy({ target: database.targetOf(way), certificates: stage.certificates })
  const called = new Set<string>()
  try {
    await work({
      query: (sql, values) => database.query(sql, values && [...values]),
      async call(functionName, call) {
        if (!called.has(functionName)) await lane.begin(functionName, stage.variablesOf(functionName, { proxy, database, way }))
        called.add(functionName)
        for (let tries = 1; ; tries += 1) {
          const client = await lane.clientOf(functionName)
          const outcome = await client.call(stage.subject.eventOf(functionName, call, id), CALL_MS)
          const answer = outcome.outcome === 'answered' ? stage.subject.answerOf(functionName, outcome.end) : undefined
          if (answer !== undefined && answer.status >= 200 && answer.status < 300) return answer
          if (tries === MOST_TRIES) throw new Error(`${functionName} did not accept an undisturbed call: ${JSON.stringify(answer ?? outcome)}`)
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
