import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { checkContent, checkJsonType, parseJson } from '../content.ts'
import { storableText } from '../storable-text.ts'
import { instantSchema } from '../instant.ts'
import type { WebhookEvent, WebhookHandler } from './handler.ts'
import { handlerFor } from './handlers/index.ts'

/** What is kept of a request whose signature was good: from it the event can be read again at any time. */
export interface Delivery {
  readonly source: string
  readonly id: string
  readonly body: Buffer
  /** Picked, see `keptHeaders`. */
  readonly headers: Readonly<Record<string, string>>
  /** Which check it has passed. */
  readonly verdict: string
  readonly receivedAt: Date
  /** Whether its body counts once, under whatever id it comes. */
  readonly guarded: boolean
}

/** A delivery that was read. */
export interface ReadDelivery extends Delivery {
  readonly event: WebhookEvent
  /** None for a type that nobody handles. */
  readonly handler: WebhookHandler | undefined
}

// What helps a person, or is needed to read the event again. Signatures are not kept: whoever has one can send it again.
const KEPT = ['content-type', 'user-agent', 'webhook-timestamp', 'x-github-event', 'x-shopify-topic']
const LONGEST_HEADER = 300

const envelopeSchema = z.object({
  type: storableText({ maxLength: 255 }),
  data: z.optional(z.unknown()),
  timestamp: z.optional(z.unknown()),
})

/** The headers that are stored with an event. */
export function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = KEPT.flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, value.slice(0, LONGEST_HEADER).replaceAll('\0', '').toWellFormed()] as const]
  })
  return Object.fromEntries(kept)
}

/**
 * Reads the event out of what was delivered, and checks it against its handler's schema.
 * @throws BadRequestError, ContentError and the like when the content does not fit.
 */
export function readDelivery(delivery: Delivery): ReadDelivery {
  checkJsonType(delivery.headers['content-type'])
  const { type, data, timestamp } = checkContent(envelopeSchema, parseJson(delivery.body))
  const handler = handlerFor(type)
  const sent = instantSchema.safeParse(timestamp)
  const occurredAt = sent.success ? sent.data : delivery.receivedAt.toISOString()
  const { source, id } = delivery
  return { ...delivery, handler, event: { source, id, type, occurredAt, data: handler ? checkData(handler.schema, data) : undefined } }
}

/** SHA-256 of the bytes as they came. */
export function bodyHash({ body }: Pick<Delivery, 'body'>): Buffer {
  return createHash('sha256').update(body).digest()
}

// Paths are told as the sender sees them, from the top of the body.
function checkData<Schema extends z.ZodMiniType>(schema: Schema, data: unknown): z.output<Schema> {
  return (checkContent(z.object({ data: schema }), { data }) as { data: z.output<Schema> }).data
}
