import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { CHAOS_TIMES } from '../../../../postgres-faults/src/matrix/times.ts'
import { invokedEvent } from '../platform/events.ts'
import { maintainUntil, sendAll, takeSeat, type Told } from './crew.ts'
import { makeDeliveries, type Maker, type SentEvent } from './deliveries.ts'
import { openStage, type Stage } from './stage.ts'
import { faultsOn } from './storm.ts'

const FULL = CHAOS_TIMES > 1
const EVENTS = FULL ? 10_000 : 300
const CONTAINERS = 4
// A short run spreads its events over one round of faults, a full one sends as fast as it can.
const PACE_MS = FULL ? 0 : 100
const TIMES = FULL ? { shortMs: 2_000, cutMs: 10_000 } : { shortMs: 2_200, cutMs: 1_500 }
const BETWEEN_MS = FULL ? 1_500 : 300
const MAINTENANCE_EVERY_MS = 500
export const LONGEST_MS = 1_800_000
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

export interface Torture {
  readonly buffered: boolean
  /** Make the events, each kind in turn. */
  readonly makers: readonly Maker[]
  /** A checkout whose functions are built. */
  readonly root: string
  /** Whether handlers fail for good, so that parked events are tried again in the end, as a person would. */
  readonly mended?: boolean
  /** What the console says was sent. */
  readonly what: string
}

/**
 * Sends events to containers while faults strike, and holds what is stored against what was answered. Returns the answers that
 * there were.
 */
export async function torture({ buffered, makers, root, mended = false, what }: Torture): Promise<string[]> {
  const stage = await openStage({ buffered, root })
  try {
    const { events, deliveries } = makeDeliveries(EVENTS, makers)
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
    await settle(stage, { mended })

    const answers = Object.fromEntries([...told.answers].sort())
    console.log(`${EVENTS} ${what}, ${buffered ? 'with' : 'without'} Redis, ${struck} faults, ${seconds.toFixed(0)} s: ${JSON.stringify(answers)}`)
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
