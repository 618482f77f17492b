import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundles } from '../../functions-devkit/src/build/pipeline.ts'
import { copyCheckout, type Checkout } from '../../functions-devkit/test/support/checkout.ts'
import { maintainUntil, sendAll, takeSeat, type Told } from '../../functions-devkit/test/support/storm/crew.ts'
import { makeDeliveries, type Maker, type SentEvent } from '../../functions-devkit/test/support/storm/deliveries.ts'
import { openStage, type Stage } from '../../functions-devkit/test/support/storm/stage.ts'
import { faultsOn } from '../../functions-devkit/test/support/storm/storm.ts'
import { CHAOS_TIMES } from '../../postgres-faults/src/matrix/times.ts'
import { invokedEvent } from '../../functions-devkit/test/support/platform/events.ts'
import { hasRedis } from '../../functions-devkit/test/support/redis.ts'

const FULL = CHAOS_TIMES > 1
const EVENTS = FULL ? 10_000 : 300
const CONTAINERS = 4
// A short run spreads its events over one round of faults, a full one sends as fast as it can.
const PACE_MS = FULL ? 0 : 100
const TIMES = FULL ? { shortMs: 2_000, cutMs: 10_000 } : { shortMs: 2_200, cutMs: 1_500 }
const BETWEEN_MS = FULL ? 1_500 : 300
const MAINTENANCE_EVERY_MS = 500
const LONGEST_MS = 1_800_000
// As a person does it, once the fault is mended.
const RETRY_PARKED = "UPDATE webhook_events SET outcome = NULL, attempts = 0, next_attempt_at = now() WHERE outcome = 'failed'"

/** Brings in what is buffered and tries what is due, until nothing is left of either; `mended`: what is parked, too. */
async function settle(stage: Stage, { mended }: { mended: boolean }): Promise<void> {
  const seat = await takeSeat(stage, 'ops/maintenance')
  for (;;) {
    if (mended) await stage.query(RETRY_PARKED)
    await stage.query('UPDATE webhook_events SET next_attempt_at = now() WHERE outcome IS NULL')
    const { result } = await seat.run(invokedEvent({ task: 'maintenance' }))
    const left = mended ? "outcome IS NULL OR outcome = 'failed'" : 'outcome IS NULL'
    const [pending] = await stage.query<{ count: number }>(`SELECT count(*)::int AS count FROM webhook_events WHERE ${left}`)
    if (result?.complete === true && pending?.count === 0) break
    await sleep(MAINTENANCE_EVERY_MS)
  }
  await seat.close()
}

interface Torture {
  readonly buffered: boolean
  /** A checkout whose functions have other handlers than the sample's, and the events for these. */
  readonly own?: { readonly root: string; readonly makers: readonly Maker[] }
}

/** Gives the answers that there were. */
async function torture({ buffered, own }: Torture): Promise<string[]> {
  const stage = await openStage({ buffered, ...(own && { root: own.root }) })
  try {
    const { events, deliveries } = makeDeliveries(EVENTS, own?.makers)
    const told: Told = { accepted: new Map(), answers: new Map(), alerts: new Map() }
    const webhooks = await Promise.all(Array.from({ length: CONTAINERS }, () => takeSeat(stage, 'api/webhook')))
    const maintenance = await takeSeat(stage, 'ops/maintenance')
    const startedAt = performance.now()
    let sent = false
    const sending = Promise.all(webhooks.map(seat => sendAll(deliveries, seat, told, PACE_MS))).finally(() => (sent = true))
    const maintaining = maintainUntil(() => sent, maintenance, MAINTENANCE_EVERY_MS)
    const faults = Object.values(faultsOn(stage, webhooks, maintenance))
    let struck = 0
    while (struck < faults.length || (FULL && !sent)) {
      await sleep(BETWEEN_MS)
      await faults[struck % faults.length]?.(TIMES)
      struck += 1
    }
    await sending
    await maintaining
    const seconds = (performance.now() - startedAt) / 1_000
    await Promise.all([...webhooks, maintenance].map(seat => seat.close()))
    await settle(stage, { mended: own !== undefined })

    const answers = Object.fromEntries([...told.answers].sort())
    console.log(
      `${EVENTS} events${own ? " of a user's own handlers" : ''}, ${buffered ? 'with' : 'without'} Redis, ${struck} faults, ${seconds.toFixed(0)} s: ${JSON.stringify(answers)}`,
    )
    const rows = await stage.query<{ id: string; outcome: string }>('SELECT external_id AS id, outcome FROM webhook_events')
    const effects = await stage.query<{ what: string; count: number }>('SELECT what, count(*)::int AS count FROM effects GROUP BY what')
    const of = (kind: string) => events.filter(event => event.kind === kind)
    const idsWhere = (kind: string, wrong: (event: SentEvent) => boolean) =>
      of(kind)
        .filter(wrong)
        .map(({ id }) => id)
    const known = new Set(events.map(({ storedAs }) => storedAs))
    const stored = new Set(rows.map(({ id }) => id))

    expect(idsWhere('forged', ({ id, storedAs }) => told.accepted.has(id) || stored.has(storedAs) || told.alerts.has(id))).toEqual([])
    expect(rows.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    // Every event was answered with 2xx in the end, so every one has its row, and exactly one effect.
    expect(idsWhere('database', ({ id, storedAs }) => !told.accepted.has(id) || !stored.has(storedAs))).toEqual([])
    const wanted = events.flatMap(({ kind, effect }) => (kind === 'database' && effect !== null ? [effect] : []))
    expect(effects.filter(({ count }) => count !== 1)).toEqual([])
    expect(effects.map(({ what }) => what).sort()).toEqual(wanted.sort())
    // What needs no database has run at least once; its row may be missing only where it could be stored nowhere.
    expect(idsWhere('bare', ({ id }) => !told.alerts.has(id))).toEqual([])
    expect(rows.map(({ id }) => id).filter(id => !known.has(id))).toEqual([])
    // The faults were felt, or this has proven nothing.
    expect(told.answers.get('no answer')).toBeGreaterThan(0)
    return Object.keys(answers)
  } finally {
    await stage.close()
  }
}

it.concurrent(
  'without a buffer: every event that was answered with 2xx has exactly one effect, and no other has any',
  async () => {
    expect(await torture({ buffered: false })).toContain('503 database-unavailable')
  },
  LONGEST_MS,
)

it.skipIf(!hasRedis()).concurrent(
  'with a buffer: every event that was answered with 2xx has exactly one effect, and no other has any',
  async () => {
    expect(await torture({ buffered: true })).toContain('202 buffered')
  },
  LONGEST_MS,
)

describe("with a user's own handlers", () => {
  let checkout: Checkout
  let other: Server
  let makers: readonly Maker[]
  beforeAll(async () => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
    checkout.write(
      'lib/app/webhooks/handlers/index.ts',
      `export { ownHandlers as handlers } from '../../../functions-devkit/test/support/storm/own-handlers.ts'\n`,
    )
    await buildBundles(checkout.folder)
    other = createServer((request, response) => {
      if (Math.random() < 0.5) request.socket.destroy()
      else response.writeHead(Math.random() < 0.2 ? 500 : 200).end()
    })
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
    makers = ['own.fetched', 'own.failed', 'own.later'].map(type => id => ({ kind: 'database', effect: id, type, data: { what: id, url } }))
  }, LONGEST_MS)
  afterAll(() => {
    other.closeAllConnections()
    other.close()
    checkout.remove()
  })

  it.skipIf(!hasRedis()).concurrent.each([false, true])(
    'every event has exactly one effect, with a buffer: %s',
    async buffered => {
      const answers = await torture({ buffered, own: { root: checkout.folder, makers } })
      expect(answers).toEqual(expect.arrayContaining(['200 applied', '200 failed', '202 deferred']))
    },
    LONGEST_MS,
  )
})
