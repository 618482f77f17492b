import { setTimeout as sleep } from 'node:timers/promises'
import { call, CheckError, expectAnswer } from './call.ts'
import type { Check } from './checklist.ts'
import { sendEvent, signPing } from './events.ts'
import type { SmokeTarget } from './target.ts'

export interface OutageTools {
  /** Says what to do and waits until a person has done it. */
  readonly ask: (what: string) => Promise<void>
  /** How long something may take to be noticed, in ms. */
  readonly longestMs?: number
  readonly pauseMs?: number
}

const EVENTS = 3
// Two minutes for what a run of maintenance, once a minute, has to do.
const LONGEST_MS = 150_000
const PAUSE_MS = 2_000

/**
 * The test "webhooks during an outage of the database": what a sender was told was kept has to be there afterwards, what
 * it was told to send again has to be taken then, and each has to count once.
 */
export function outageChecks(target: SmokeTarget, mark: string, { ask, longestMs = LONGEST_MS, pauseMs = PAUSE_MS }: OutageTools): readonly Check[] {
  const { url } = target
  const ids = Array.from({ length: EVENTS }, (_, index) => `smoke_${mark}_${index + 1}`)
  const buffered = new Set<string>()

  async function until(what: string, seen: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + longestMs
    while (!(await seen())) {
      if (performance.now() > end) throw new CheckError(`${what} within ${longestMs / 1000} s`)
      await sleep(pauseMs)
    }
  }

  return [
    {
      name: 'database away',
      async run() {
        await ask('Take the database away now, for instance by leaving no trusted source in its settings and restarting it.')
        await until('GET /health/ready did not tell of it', async () => (await call(`${url}/health/ready`)).status === 503)
        expectAnswer(await call(`${url}/health`), 200, { status: 'pass' })
        return 'GET /health/ready: 503, GET /health: 200'
      },
    },
    {
      name: 'events meanwhile',
      async run() {
        for (const id of ids) {
          const answer = await sendEvent(signPing(id, target), target)
          if (answer.status === 202) {
            expectAnswer(answer, 202, { outcome: 'buffered' })
            buffered.add(id)
          } else {
            expectAnswer(answer, 503)
            if (!/^\d+$/.test(answer.headers.get('retry-after') ?? '')) throw new CheckError('answered 503 without Retry-After')
          }
        }
        return `${buffered.size} buffered (202), ${ids.length - buffered.size} to be sent again (503 with Retry-After)`
      },
    },
    {
      name: 'forged meanwhile',
      async run() {
        const { headers, body } = signPing(ids[0] ?? '', target)
        expectAnswer(await call(`${url}/webhook/demo`, { method: 'POST', headers, body: body.replace(/\}$/, ' }') }), 401)
        return 'refused with 401'
      },
    },
    {
      name: 'database back',
      async run() {
        await ask('Bring the database back.')
        await until('GET /health/ready did not recover', async () => (await call(`${url}/health/ready`)).status === 200)
        return 'GET /health/ready: 200'
      },
    },
    {
      name: 'none lost',
      async run() {
        for (const id of ids) {
          await until(`${id} was not applied`, async () => {
            const { status, body } = await sendEvent(signPing(id, target), target)
            return status === 200 && (body.outcome === 'applied' || (body.outcome === 'duplicate' && body.first === 'applied'))
          })
        }
        return `${ids.length} of ${ids.length} applied`
      },
    },
    {
      name: 'none twice',
      async run() {
        for (const id of ids) expectAnswer(await sendEvent(signPing(id, target), target), 200, { outcome: 'duplicate', first: 'applied' })
        return `${ids.length} of ${ids.length} are duplicates now`
      },
    },
  ]
}
