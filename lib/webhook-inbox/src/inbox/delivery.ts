import { createHash } from 'node:crypto'
import { checkContent } from '../../../functions-runtime/src/content/content.ts'
import { ApplicationError, ContentError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { externalIdSchema, isStorable } from '../../../functions-runtime/src/content/storable-text.ts'
import { orderOf } from './event-order.ts'
import type { WebhookEvent, WebhookHandler } from './handler.ts'
import { readEvent } from './read-event.ts'
import type { ConcernedEvent, DescribedSource } from '../verify/source.ts'

/** What is kept of a request whose signature was good: from it the event can be read again at any time. */
export interface Delivery {
  readonly source: string
  readonly body: Buffer
  /** Picked, see `keptHeaders`. */
  readonly headers: Readonly<Record<string, string>>
  /** Which check it has passed. */
  readonly verdict: string
  /** By the clock of this container; of a stored event, when it was first received. */
  readonly receivedAt: Date
  /** When it was put into the outage buffer, by the clock of the buffer's server. */
  readonly bufferedAt?: Date | undefined
}

/** A delivery that was read. */
export interface ReadDelivery extends Delivery {
  readonly event: WebhookEvent
  /** Whether the sender says when it happened. */
  readonly isDated: boolean
  /** None for a type that nobody handles. */
  readonly handler: WebhookHandler | undefined
  /** The user it is about, as the sender calls that user, if its handler or its source tells. */
  readonly concerns: string | null
  /** Whether its body counts once, under whatever id it comes. */
  readonly guarded: boolean
  /** Whether another delivery of the event may honestly have another body. */
  readonly bodyVaries: boolean
  /** Why it must not reach its handler: its content does not fit, or cannot be read. It is parked with this. */
  readonly fault?: ApplicationError | undefined
}

// Stands in the table where no type could be read. No sender's type has parentheses.
const UNKNOWN_TYPE = '(unknown)'
// What helps a person. Signatures are not kept: whoever has one can send it again.
const HELPFUL = ['content-type', 'user-agent', 'webhook-timestamp']
const LONGEST_HEADER = 300

/**
 * The headers that are stored with an event: those that help a person, and those that it has to be read from again. One
 * of the latter that the table cannot hold is left out: a repaired one would be another id or type.
 */
export function keptHeaders(headers: Readonly<Record<string, string>>, { eventId, type }: DescribedSource): Record<string, string> {
  const places = [eventId, type].flatMap(place => (place !== 'body' && 'header' in place ? [place.header, place.or ?? place.header] : []))
  const read = new Set(places.map(name => name.toLowerCase()))
  const picked = [...new Set([...HELPFUL, ...read])].flatMap(name => {
    const value = headers[name]
    if (value === undefined || (read.has(name) && !isStorable(value))) return []
    return [[name, value.slice(0, LONGEST_HEADER).replaceAll('\0', '').toWellFormed()] as const]
  })
  return Object.fromEntries(picked)
}

/**
 * Reads the event out of what was delivered, and checks it against its handler's schema. Content that does not fit is no
 * error here but the `fault` of what is returned, because an event with an id is stored whatever it holds.
 * @throws ApplicationError when there is no usable id, see `readEvent`.
 */
export function readDelivery(delivery: Delivery, source: DescribedSource): ReadDelivery {
  const { id, type, data, sentAt, fault } = readEvent(source, delivery)
  const handler = type === undefined ? undefined : source.handlers.get(type)
  const fitted = attribute(fit(handler, { data, at: source.data, fault }), { type, data }, source)
  return {
    ...delivery,
    event: eventAt(sentAt ?? (delivery.bufferedAt ?? delivery.receivedAt).toISOString(), {
      source: source.name,
      id,
      type: type ?? UNKNOWN_TYPE,
      data: fitted.data,
    }),
    isDated: sentAt !== undefined,
    handler,
    concerns: fitted.concerns,
    guarded: source.replayGuard === 'body',
    bodyVaries: source.bodyVaries,
    fault: fitted.fault,
  }
}

/** The delivery with the time at which its event was first received, where its sender gives none. */
export function receivedFirst(delivery: ReadDelivery, receivedAt: Date): ReadDelivery {
  const event = delivery.isDated ? delivery.event : eventAt(receivedAt.toISOString(), delivery.event)
  return { ...delivery, receivedAt, event }
}

function eventAt(occurredAt: string, event: Omit<WebhookEvent, 'occurredAt' | 'order'>): WebhookEvent {
  return { ...event, occurredAt, order: orderOf({ ...event, occurredAt }) }
}

type Fitted = Pick<ReadDelivery, 'concerns' | 'fault'> & { readonly data: unknown }

/** What a handler makes of the data of an event. */
function fit(
  handler: WebhookHandler | undefined,
  { data: raw, at, fault }: { data: unknown; at: string; fault: ApplicationError | undefined },
): Fitted {
  if (handler === undefined || fault !== undefined) return { data: undefined, concerns: guessConcerns(handler, raw), fault }
  try {
    const data: unknown = runPart('schema', () => checkContent(handler.schema, raw, at))
    return { data, concerns: runPart('concerns', () => concernsOf(handler, data)), fault: undefined }
  } catch (error) {
    return { data: undefined, concerns: guessConcerns(handler, raw), fault: error as ApplicationError }
  }
}

/** Asks the source where the handler does not say whom an event is about. */
function attribute(fitted: Fitted, event: ConcernedEvent, { concerns }: DescribedSource): Fitted {
  if (fitted.concerns !== null || concerns === undefined || event.data === undefined) return fitted
  try {
    return { ...fitted, concerns: runPart('concerns', () => usableId(concerns(event))) }
  } catch (error) {
    return { ...fitted, fault: fitted.fault ?? (error as ApplicationError) }
  }
}

/** @throws ApplicationError: `concerns-failed` when the id that a handler names does not fit the table. */
function concernsOf(handler: WebhookHandler, data: unknown): string | null {
  return usableId(handler.concerns?.(data))
}

function usableId(named: unknown): string | null {
  if (named === undefined || named === null) return null
  // One that rejects would end the process.
  if (named instanceof Promise) named.catch(() => undefined)
  const id = externalIdSchema.safeParse(named)
  if (id.success) return id.data
  throw new ApplicationError('The user of this event is named in a form that cannot be stored.', { code: 'concerns-failed', status: 500 })
}

/** The same for content that does not fit, as far as it can be told: erasing the user must reach what waits for a person. */
function guessConcerns(handler: WebhookHandler | undefined, raw: unknown): string | null {
  try {
    return handler === undefined ? null : concernsOf(handler, raw)
  } catch {
    return null
  }
}

/** Runs a part of a handler; what it throws by mistake becomes an error with a code. */
function runPart<Result>(part: 'schema' | 'concerns', run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof ContentError || (cause instanceof ApplicationError && cause.code === `${part}-failed`)) throw cause
    throw new ApplicationError(`The ${part} of this event's handler failed.`, { code: `${part}-failed`, status: 500, cause })
  }
}

/** SHA-256 of the bytes as they came. */
export function bodyHash({ body }: Pick<Delivery, 'body'>): Buffer {
  return createHash('sha256').update(body).digest()
}
