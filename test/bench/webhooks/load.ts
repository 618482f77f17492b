import { randomUUID } from 'node:crypto'
import { type Container } from '../../../lib/functions-devkit/test/support/platform/container.ts'
import { webEvent } from '../../../lib/functions-devkit/test/support/platform/events.ts'
import { webAnswer } from '../../../lib/functions-devkit/test/support/platform/web-answer.ts'
import { completedTransaction, signedHeaders } from '../../../lib/functions-devkit/test/support/webhooks.ts'

/** What came of sending to containers for a while. */
export interface Load {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers other than 200 `applied`. */
  others: number
}

/** Sends events of their own to every container, one after the other, for so long. */
export async function sendFor(ms: number, containers: readonly Container[]): Promise<Load> {
  const startedAt = performance.now()
  return send(containers, () => performance.now() - startedAt < ms)
}

/** The same, so many to each container: what is measured then has run as often everywhere, however fast it is. */
export async function sendTo(containers: readonly Container[], events: number): Promise<Load> {
  return send(containers, sent => sent < events)
}

async function send(containers: readonly Container[], goesOn: (sent: number) => boolean): Promise<Load> {
  const latencies: number[] = []
  let others = 0
  const startedAt = performance.now()
  const sendOn = async (container: Container) => {
    for (let sent = 0; goesOn(sent); sent += 1) {
      // Of many users: what concerns one of them waits its turn.
      const body = completedTransaction({ userId: `usr_${randomUUID()}` })
      const event = webEvent({ method: 'POST', path: '/demo', headers: signedHeaders(body), body }, 'raw')
      const sentAt = performance.now()
      const { status, body: answer } = webAnswer(await container.run(event))
      latencies.push(performance.now() - sentAt)
      if (status !== 200 || !answer.includes('"applied"')) others += 1
    }
  }
  await Promise.all(containers.map(sendOn))
  const seconds = (performance.now() - startedAt) / 1_000
  latencies.sort((one, other) => one - other)
  const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 10) / 10
  return { perSecond: Math.round(latencies.length / seconds), p50Ms: at(0.5), p99Ms: at(0.99), others }
}
