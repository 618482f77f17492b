import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { withHost, type HostProcess } from '../support/host/host-process.ts'
import { startLoad, watchReadiness, type Fate, type Load } from '../support/host/load.ts'

const PER_SECOND = 200
const TIMES = Number(process.env.SHUTDOWN_TIMES ?? 1)
const times = Array.from({ length: TIMES }, (_, index) => index + 1)

const READINESS = '/health/ready'

const fatesOf = (load: Load): Promise<Fate[]> => Promise.all(load.sent.map(({ fate }) => fate))
const why = (fates: readonly Fate[]) => fates.flatMap(met => (met.fate === 'lost' ? [met.why] : []))

/** The webhooks that were answered as applied, beside those that are stored: a difference is one that was taken and not answered. */
async function bothSides(load: Load, database: TestDatabase): Promise<{ answered: string[]; stored: string[] }> {
  const answered = await Promise.all(
    load.sent.map(async ({ request, fate }) => {
      const met = await fate
      return request.kind === 'webhook' && met.fate === 'answered' && met.status === 200 ? [request.headers['webhook-id'] ?? ''] : []
    }),
  )
  const rows = await database.query<{ external_id: string }>("SELECT external_id FROM webhook_events WHERE outcome = 'applied'")
  return { answered: answered.flat().sort(), stored: rows.map(row => row.external_id).sort() }
}

const sentSoFar = async (load: Load, count: number) => {
  while (load.sent.length < count) await sleep(5)
}

async function withTwo(database: TestDatabase, variables: Record<string, string>, work: (one: HostProcess, other: HostProcess) => Promise<void>) {
  await withHost(database, one => withHost(database, other => work(one, other)), { variables })
}

// Two processes and their load want more than a busy machine has.
describe('kill -TERM during 200 requests a second', { timeout: 120_000 }, () => {
  test.each(times)('loses none where a balancer goes by readiness: all are answered, and each event is applied once (%i)', async () => {
    await withDatabase(async database => {
      // The balancer shares a process with the load: on a busy machine one probe can take seconds.
      await withTwo(database, { SHUTDOWN_GRACE_MS: '4000' }, async (one, other) => {
        const balancer = watchReadiness([one.port, other.port], READINESS)
        const load = startLoad(balancer.ready, { perSecond: PER_SECOND })
        await sentSoFar(load, PER_SECOND / 2)
        one.kill('SIGTERM')
        expect(await one.ends()).toEqual({ code: 0, signal: null })
        await sentSoFar(load, load.sent.length + PER_SECOND / 4)
        await Promise.all([load.stop(), balancer.stop()])
        const fates = await fatesOf(load)
        expect(fates.map(({ fate }) => fate).filter(fate => fate !== 'answered')).toEqual([])
        const { answered, stored } = await bothSides(load, database)
        expect(stored).toEqual(answered)
        // Both have worked: the one that ended was not spared.
        for (const host of [one, other]) expect(host.lines().some(({ function: name }) => name === 'api/webhook')).toBe(true)
      })
    })
  })

  test.each(times)('leaves nothing that it has taken unanswered, also where nobody goes elsewhere (%i)', async () => {
    await withDatabase(async database => {
      await withHost(
        database,
        async host => {
          const { port } = host
          const load = startLoad(() => [port], { perSecond: PER_SECOND })
          await sentSoFar(load, PER_SECOND / 2)
          host.kill('SIGTERM')
          expect(await host.ends()).toEqual({ code: 0, signal: null })
          await load.stop()
          const fates = await fatesOf(load)
          // A connection that the system has taken and the process has not yet is no more than a place in a queue.
          expect(why(fates).filter(reason => reason !== 'ECONNRESET')).toEqual([])
          const { answered, stored } = await bothSides(load, database)
          expect(stored).toEqual(answered)
          expect(answered.length).toBeGreaterThan(0)
        },
        { variables: { SHUTDOWN_REQUESTS_MS: '3000' } },
      )
    })
  })
})
