import type * as z from 'zod/mini'
import { checkContent, checkEncoding, checkJsonType, checkSize, parseJson } from '../content/content.ts'
import { ApplicationError, BadRequestError, ContentError } from '../edge/http-errors.ts'
import type { WebRequest } from '../edge/event.ts'
import type { Operation } from './operation.ts'

/** The body as the operation's schema makes it. */
export function readBody({ body, headers }: WebRequest, schema: z.ZodMiniType): unknown {
  checkSize(body)
  checkEncoding(headers['content-encoding'])
  checkJsonType(headers['content-type'])
  return checkContent(schema, parseJson(body))
}

/**
 * The query as the operation's schema makes it.
 * @throws ContentError, also for a name that stands there twice.
 */
export function readQuery({ query }: WebRequest, schema: z.ZodMiniType): unknown {
  const names = [...query.keys()]
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (twice.length > 0) throw new ContentError([...new Set(twice)].map(name => ({ path: `/${name}`, message: 'Expected once' })))
  // Not in an ordinary object, where some names mean something.
  return checkContent(schema, Object.assign(Object.create(null) as object, Object.fromEntries(query)))
}

/** What the caller calls the request, if it does. */
export function readIdempotencyKey({ headers }: WebRequest, { idempotencyKey }: Operation): string | undefined {
  const key = headers['idempotency-key']
  if (idempotencyKey === undefined) return undefined
  if (key === undefined || key === '') {
    if (idempotencyKey === 'optional') return undefined
    throw new BadRequestError('idempotency-key-missing', 'This needs the header Idempotency-Key, so that it can be repeated.')
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new BadRequestError('idempotency-key-invalid', 'An idempotency key is 1 to 255 visible characters of ASCII.')
  }
  return key
}

/**
 * Reads `If-Match` (RFC 9110) into what compares an entity tag with it. Weak tags match nothing.
 * @throws ApplicationError 428 when it is missing, BadRequestError when it is none.
 */
export function readIfMatch({ headers }: WebRequest): (tag: string) => boolean {
  const text = headers['if-match']?.trim() ?? ''
  if (text === '')
    throw new ApplicationError('This needs the header If-Match with the ETag of what is to be changed.', { code: 'if-match-missing', status: 428 })
  if (text === '*') return () => true
  const tags = text.split(',').map(tag => tag.trim())
  if (!tags.every(tag => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(tag)))
    throw new BadRequestError('if-match-invalid', 'If-Match is no list of entity tags.')
  return tag => tags.includes(tag)
}
