import { eventBody, signedHeaders } from '../../webhooks.ts'

/** One event as its sender knows it. */
export interface SentEvent {
  readonly id: string
  readonly body: string
  /** What it leaves in `effects`, once; null when it leaves nothing there. */
  readonly effect: string | null
  /** `bare`: its handler needs no database, and runs at least once. */
  readonly kind: 'database' | 'bare' | 'forged'
}

/** One request that somebody is to send, until it is accepted. */
export interface Delivery {
  readonly event: SentEvent
  readonly headers: Record<string, string>
}

const DUPLICATES = 0.1
const FORGED = 0.01
const FORGED_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

/** So many events of all kinds, some of them sent twice at about the same time, and some forged. */
export function makeDeliveries(count: number): { events: readonly SentEvent[]; deliveries: Delivery[] } {
  const events = Array.from({ length: count }, (_, n) => makeEvent(n, n % Math.round(1 / FORGED) === 7))
  const deliveries = events.flatMap((event, n) => (n % Math.round(1 / DUPLICATES) === 3 ? [event, event] : [event])).map(deliveryOf)
  return { events, deliveries }
}

/** Signed anew, as senders do for each delivery. */
export function deliveryOf(event: SentEvent): Delivery {
  const secret = event.kind === 'forged' ? { secret: FORGED_SECRET } : {}
  return { event, headers: signedHeaders(event.body, { id: event.id, ...secret }) }
}

const user = (id: string) => ({ userId: id, email: `${id}@example.com`, name: id })
const money = (id: string) => ({ transactionId: id, userId: `payer_${id}`, amount: '12.50', currency: 'EUR' })
const makers: readonly ((id: string) => Omit<SentEvent, 'id'>)[] = [
  id => ({ kind: 'database', effect: id, body: eventBody('transaction.completed', money(id)) }),
  id => ({ kind: 'database', effect: id, body: eventBody('user.created', user(id)) }),
  id => ({ kind: 'database', effect: id, body: eventBody('transaction.failed', money(id)) }),
  () => ({ kind: 'database', effect: null, body: eventBody('smoke.ping', {}) }),
  id => ({ kind: 'database', effect: id, body: eventBody('transaction.refunded', money(id)) }),
  id => ({ kind: 'database', effect: id, body: eventBody('user.updated', user(id)) }),
  id => ({ kind: 'bare', effect: null, body: eventBody('alert.raised', { code: id, severity: 'info' }) }),
  () => ({ kind: 'database', effect: null, body: eventBody('weather.changed', {}) }),
]

function makeEvent(n: number, forged: boolean): SentEvent {
  const id = `event_${n}`
  const made = makers[n % makers.length]?.(id)
  if (made === undefined) throw new Error('there is no maker')
  return { id, ...made, ...(forged ? { kind: 'forged' as const } : {}) }
}
