import en from 'zod/v4/locales/en.js'
import * as z from 'zod/mini'
import { ApplicationError, BadRequestError, ContentError } from '../edge/http-errors.ts'
import { essenceOf } from '../edge/media-type.ts'

// The small build of zod comes without words; these never repeat the value they complain about.
z.config(en())

// Bodies travel base64-coded inside the platform's limit of 1 MB.
export const MAX_BODY_BYTES = 750 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** @throws ApplicationError 413 when a body is longer than the platform can carry reliably. */
export function checkSize(body: Buffer): void {
  if (body.length > MAX_BODY_BYTES) {
    throw new ApplicationError(`The body is longer than ${MAX_BODY_BYTES} bytes.`, { code: 'body-too-large', status: 413 })
  }
}

// What a caller sent is repeated only as far as it can be a name of an encoding (RFC 9110, token).
const ENCODING_NAME = /^[\w!#$%&'*+.^`|~-]{1,40}$/

/** The content encodings of a header `Content-Encoding`, in lower case, without `identity`, which stands for none. */
export function encodingsOf(contentEncoding: string | undefined): string[] {
  const names = (contentEncoding ?? '').split(',').map(name => name.trim().toLowerCase())
  return names.filter(name => name !== '' && name !== 'identity').map(name => (ENCODING_NAME.test(name) ? name : '(unreadable)'))
}

/** @throws ApplicationError 415, naming the encoding, unless the body was sent as it is. Nothing here decompresses. */
export function checkEncoding(contentEncoding: string | undefined): void {
  const encodings = encodingsOf(contentEncoding)
  if (encodings.length === 0) return
  throw new ApplicationError(`The content encoding ${encodings.join(', ')} is not supported. Send the body without a content encoding.`, {
    code: 'content-encoding-unsupported',
    status: 415,
    headers: { 'accept-encoding': 'identity' },
  })
}

// As the WHATWG defines a JSON MIME type: `application/json`, `text/json`, and any type with the suffix `+json` (RFC 6839).
const JSON_TYPE = /^((application|text)\/json|[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\+json)$/

/** @throws ApplicationError 415 unless the content type is JSON, in any letter case and with any parameters. */
export function checkJsonType(contentType: string | undefined): void {
  if (JSON_TYPE.test(essenceOf(contentType ?? ''))) return
  throw new ApplicationError('The content type has to be application/json.', { code: 'content-type-unsupported', status: 415 })
}

/**
 * Reads bytes as UTF-8, without a byte order mark in front.
 * @throws TypeError for bytes that are not UTF-8.
 */
export function decodeText(body: Buffer): string {
  return utf8.decode(body)
}

/**
 * Reads bytes as JSON. Bytes that are no UTF-8 are refused rather than repaired: what is stored is what was sent.
 * @throws BadRequestError
 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(decodeText(body))
  } catch {
    throw new BadRequestError('json-unreadable', 'The body is no JSON in UTF-8.')
  }
}

/**
 * Checks a value against a schema and returns what the schema makes of it.
 * `at` is where in the content the value was found.
 * @throws ContentError with the path (JSON Pointer, RFC 6901) of everything that does not fit.
 */
export function checkContent<Schema extends z.ZodMiniType>(schema: Schema, value: unknown, at = ''): z.output<Schema> {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw new ContentError(checked.error.issues.map(issue => ({ path: `${at}${pointer(issue.path)}`, message: issue.message })))
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
