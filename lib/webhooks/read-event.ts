import * as z from 'zod/mini'
import { checkJsonType, parseJson } from '../content.ts'
import { ApplicationError, ContentError } from '../errors.ts'
import { storableText } from '../storable-text.ts'
import { instantSchema } from '../instant.ts'
import { atPlace, atPointer, type Place } from './place.ts'
import { bodyDigest, type DescribedSource } from './source.ts'

/** What a delivery says it is; nothing of `data` has been checked. */
export interface ReadEvent {
  readonly id: string
  readonly type: string
  readonly data: unknown
  /** When it was sent, ISO 8601, where the body says so: `timestamp` in words, or `created` in seconds. */
  readonly sentAt: string | undefined
}

// What JavaScript's dates reach, in seconds.
const LATEST_S = 8.64e12

const idSchema = z.union([storableText({ maxLength: 255 }), z.pipe(z.int(), z.transform(String))])
const typeSchema = storableText({ maxLength: 255 })

/**
 * Finds id, type and data where the source has them. To be called with what was verified, and only then.
 * @throws ApplicationError 415; BadRequestError for what is no JSON; 422: `event-id-missing` when there is no id that could be stored,
 * ContentError when there is no such type.
 */
export function readEvent(
  source: Pick<DescribedSource, 'name' | 'eventId' | 'type' | 'data'>,
  { headers, body: bytes }: { headers: Readonly<Record<string, string>>; body: Buffer },
): ReadEvent {
  checkJsonType(headers['content-type'])
  const body = parseJson(bytes)
  const id = source.eventId === 'body' ? bodyDigest(source.name, bytes) : readId(atPlace({ headers, body }, source.eventId))
  return { id, type: readType({ headers, body }, source.type), data: atPointer(body, source.data), sentAt: readInstant(body) }
}

function readInstant(body: unknown): string | undefined {
  const created = atPointer(body, '/created')
  const text = typeof created === 'number' && Math.abs(created) < LATEST_S ? new Date(created * 1000).toISOString() : atPointer(body, '/timestamp')
  const instant = instantSchema.safeParse(text)
  return instant.success ? instant.data : undefined
}

function readId(value: unknown): string {
  const id = idSchema.safeParse(value)
  if (id.success) return id.data
  throw new ApplicationError('The delivery has no event id where this source puts it.', { code: 'event-id-missing', status: 422 })
}

function readType(delivery: { headers: Readonly<Record<string, string>>; body: unknown }, place: Place): string {
  const type = typeSchema.safeParse(atPlace(delivery, place))
  if (type.success) return type.data
  const path = 'pointer' in place ? place.pointer : ''
  throw new ContentError(type.error.issues.map(({ message }) => ({ path, message: `${message} (the type of the event)` })))
}
