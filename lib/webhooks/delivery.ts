import { createHash } from 'node:crypto'
import { checkContent } from '../content.ts'
import type { WebhookEvent, WebhookHandler } from './handler.ts'
import { readEvent } from './read-event.ts'
import type { DescribedSource } from './source.ts'

/** What is kept of a request whose signature was good: from it the event can be read again at any time. */
export interface Delivery {
  readonly source: string
  readonly body: Buffer
  /** Picked, see `keptHeaders`. */
  readonly headers: Readonly<Record<string, string>>
  /** Which check it has passed. */
  readonly verdict: string
  readonly receivedAt: Date
}

/** A delivery that was read. */
export interface ReadDelivery extends Delivery {
  readonly event: WebhookEvent
  /** None for a type that nobody handles. */
  readonly handler: WebhookHandler | undefined
  /** The user it is about, as the sender calls that user, if its handler tells. */
  readonly concerns: string | null
  /** Whether its body counts once, under whatever id it comes. */
  readonly guarded: boolean
  /** Whether another delivery of the event may honestly have another body. */
  readonly bodyVaries: boolean
}

// What helps a person. Signatures are not kept: whoever has one can send it again.
const HELPFUL = ['content-type', 'user-agent', 'webhook-timestamp']
const LONGEST_HEADER = 300

/** The headers that are stored with an event: those that help a person, and those that it has to be read from again. */
export function keptHeaders(headers: Readonly<Record<string, string>>, { eventId, type }: DescribedSource): Record<string, string> {
  const places = [eventId, type].flatMap(place => (place !== 'body' && 'header' in place ? [place.header, place.or ?? place.header] : []))
  const kept = new Set([...HELPFUL, ...places.map(name => name.toLowerCase())])
  const picked = [...kept].flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, value.slice(0, LONGEST_HEADER).replaceAll('\0', '').toWellFormed()] as const]
  })
  return Object.fromEntries(picked)
}

/**
 * Reads the event out of what was delivered, and checks it against its handler's schema.
 * @throws BadRequestError, ContentError and the like when the content does not fit.
 */
export function readDelivery(delivery: Delivery, source: DescribedSource): ReadDelivery {
  const { id, type, data, sentAt } = readEvent(source, delivery)
  const handler = source.handlers.get(type)
  const event: WebhookEvent = {
    source: source.name,
    id,
    type,
    occurredAt: sentAt ?? delivery.receivedAt.toISOString(),
    data: handler ? checkContent(handler.schema, data, source.data) : undefined,
  }
  return {
    ...delivery,
    event,
    handler,
    concerns: handler?.concerns?.(event.data) ?? null,
    guarded: source.replayGuard === 'body',
    bodyVaries: source.bodyVaries,
  }
}

/** SHA-256 of the bytes as they came. */
export function bodyHash({ body }: Pick<Delivery, 'body'>): Buffer {
  return createHash('sha256').update(body).digest()
}
