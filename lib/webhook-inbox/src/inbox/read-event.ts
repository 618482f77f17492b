import type * as z from 'zod/mini'
import { checkJsonType, decodeText, parseJson } from '../../../functions-runtime/src/content/content.ts'
import { ApplicationError, ContentError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { storableText } from '../../../functions-runtime/src/content/storable-text.ts'
import { instantSchema } from '../../../functions-runtime/src/content/instant.ts'
import { isExactInteger } from './exact-number.ts'
import { formField, isForm } from './form-field.ts'
import { atPlace, atPointer, type Place } from '../verify/place.ts'
import { bodyDigest, type DescribedSource } from '../verify/source.ts'

/** What a delivery says it is; nothing of `data` has been checked. */
export interface ReadEvent {
  readonly id: string
  /** Undefined when it is missing or cannot be stored: `fault` says why. */
  readonly type: string | undefined
  readonly data: unknown
  /** When it was sent, ISO 8601, where the body says so: `timestamp` in words, or `created` in seconds. */
  readonly sentAt: string | undefined
  /** Why no handler can have it, although its id is known: its content type, no JSON, or its type. */
  readonly fault: ApplicationError | undefined
}

interface Delivered {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

// What JavaScript's dates reach, in seconds.
const LATEST_S = 8.64e12
// What the table takes.
const LONGEST_ID = 255

const typeSchema = storableText({ maxLength: 255 })

/**
 * Finds id, type and data where the source has them. To be called with what was verified, and only then.
 * @throws ApplicationError when there is no usable id, since an event without one cannot be stored: `event-id-missing` or
 * `event-id-invalid` (422), or what kept the body from being read, where the id stands in the body (400 or 415).
 */
export function readEvent(
  source: Pick<DescribedSource, 'name' | 'eventId' | 'type' | 'data' | 'formField'>,
  { headers, body: bytes }: Delivered,
): ReadEvent {
  const { body, json, fault } = readBody(headers['content-type'], bytes, source.formField)
  const id = source.eventId === 'body' ? bodyDigest(source.name, bytes) : readId({ headers, body }, source.eventId, { json, fault })
  const type = typeSchema.safeParse(atPlace({ headers, body }, source.type))
  return {
    id,
    type: type.data,
    data: atPointer(body, source.data),
    sentAt: readInstant(body),
    fault: fault ?? (type.success ? undefined : typeError(type.error, source.type)),
  }
}

/**
 * Requires that an id in a header can be stored as it is. For the headers as they came: those that are kept hold nothing
 * that the table could not.
 * @throws ApplicationError `event-id-invalid`
 */
export function checkHeaderId({ eventId }: Pick<DescribedSource, 'eventId'>, headers: Readonly<Record<string, string>>): void {
  if (eventId === 'body' || !('header' in eventId)) return
  const value = atPlace({ headers, body: undefined }, eventId)
  if (value !== undefined) checkText(value as string)
}

/** The JSON of a delivery: its body, or a field of it where the source sends forms. */
interface ReadBody {
  readonly body: unknown
  readonly json: Buffer
  readonly fault: ApplicationError | undefined
}

// Read whatever its type says: the id may be in there, and an event with an id is stored.
function readBody(contentType: string | undefined, bytes: Buffer, field: string | undefined): ReadBody {
  const inForm = field !== undefined && isForm(contentType)
  const json = inForm ? formField(bytes, field) : bytes
  const ofType = inForm ? undefined : faultOf(() => checkJsonType(contentType))
  let body: unknown
  const ofText = faultOf(() => void (body = parseJson(json)))
  return { body, json, fault: ofType ?? ofText }
}

function readInstant(body: unknown): string | undefined {
  const created = atPointer(body, '/created')
  const text = typeof created === 'number' && Math.abs(created) < LATEST_S ? new Date(created * 1000).toISOString() : atPointer(body, '/timestamp')
  const instant = instantSchema.safeParse(text)
  return instant.success ? instant.data : undefined
}

function readId(
  delivery: { headers: Readonly<Record<string, string>>; body: unknown },
  place: Place,
  { json, fault }: Pick<ReadBody, 'json' | 'fault'>,
): string {
  const value = atPlace(delivery, place)
  if (value === undefined || value === null || value === '') {
    throw fault ?? new ApplicationError('The delivery has no event id where this source puts it.', { code: 'event-id-missing', status: 422 })
  }
  if (typeof value === 'number' && 'pointer' in place) {
    if (!isExactInteger(decodeText(json), place.pointer)) throw idError('is a number that cannot be read exactly: beyond 2^53 or with a fraction')
    return String(value)
  }
  if (typeof value !== 'string') throw idError('is neither text nor a number')
  return checkText(value)
}

function checkText(id: string): string {
  if (id.length > LONGEST_ID) throw idError(`is longer than ${LONGEST_ID} characters`)
  if (!storableText({ maxLength: LONGEST_ID }).safeParse(id).success) throw idError('holds NUL or a lone surrogate')
  return id
}

function idError(reason: string): ApplicationError {
  return new ApplicationError(`The event id ${reason}.`, { code: 'event-id-invalid', status: 422 })
}

function typeError(error: z.core.$ZodError, place: Place): ContentError {
  const path = 'pointer' in place ? place.pointer : place.header.toLowerCase()
  return new ContentError(error.issues.map(({ message }) => ({ path, message: `${message} (the type of the event)` })))
}

function faultOf(check: () => void): ApplicationError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof ApplicationError) return error
    throw error
  }
}
