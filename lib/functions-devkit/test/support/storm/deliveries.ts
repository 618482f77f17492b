import { application } from '../../../src/application.ts'
import { composeDelivery } from '../../../src/server/compose-delivery.ts'
import { localWebhookSecrets } from '../../../src/server/webhook-secrets.ts'
import { bodyDigest } from '../../../../webhook-inbox/src/verify/source.ts'
import { webhookSecret } from '../functions.ts'

/** One event as its sender knows it. */
export interface SentEvent {
  readonly id: string
  /** Each scheme has its turn. */
  readonly source: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  /** What the inbox calls it. */
  readonly storedAs: string
  /** What it leaves in `effects`, once; null when it leaves nothing there. */
  readonly effect: string | null
  /** `bare`: its handler needs no database, and runs at least once. */
  readonly kind: 'database' | 'bare' | 'forged'
}

/** One request that somebody is to send, until it is accepted. */
export interface Delivery {
  readonly event: SentEvent
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const DUPLICATES = 0.1
const FORGED = 0.01
const table = application.sources
/** By variable. */
export const secrets = localWebhookSecrets(webhookSecret)
const forgedSecrets = localWebhookSecrets(`whsec_${Buffer.alloc(32, 8).toString('base64')}`)

/** What an event is, by its id. */
export type Maker = (id: string) => Pick<SentEvent, 'kind' | 'effect' | 'type' | 'data'>

/** So many events of all kinds, some of them sent twice at about the same time, and some forged. */
export function makeDeliveries(count: number, makers: readonly Maker[]): { events: readonly SentEvent[]; deliveries: Delivery[] } {
  const events = Array.from({ length: count }, (_, n) => makeEvent(n, makers, n % Math.round(1 / FORGED) === 7))
  const deliveries = events.flatMap((event, n) => (n % Math.round(1 / DUPLICATES) === 3 ? [event, event] : [event])).map(deliveryOf)
  return { events, deliveries }
}

/** Signed anew, as senders do for each delivery. */
export function deliveryOf(event: SentEvent): Delivery {
  return { event, ...compose(event) }
}

function compose({ source, id, type, data, kind }: Omit<SentEvent, 'storedAs' | 'effect'>): {
  headers: Readonly<Record<string, string>>
  body: string
} {
  const definition = table[source]
  if (definition === undefined) throw new Error(`there is no source ${source}`)
  const secret = (kind === 'forged' ? forgedSecrets : secrets)[definition.secrets] ?? ''
  return composeDelivery({ definition, secret, id, type, data })
}

function makeEvent(n: number, makers: readonly Maker[], forged: boolean): SentEvent {
  const id = `event_${n}`
  const sources = Object.keys(table)
  // Every source sends every type, in the long run.
  const source = sources[Math.floor(n / makers.length) % sources.length] ?? ''
  const made = makers[n % makers.length]?.(id)
  if (made === undefined) throw new Error('there is no maker')
  const event = { id, source, ...made, ...(forged ? { kind: 'forged' as const } : {}) }
  return { ...event, storedAs: table[source]?.eventId === 'body' ? bodyDigest(source, Buffer.from(compose(event).body)) : id }
}
