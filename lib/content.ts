import en from 'zod/v4/locales/en.js'
import * as z from 'zod/mini'
import { ApplicationError, BadRequestError, ContentError } from './errors.ts'

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

/** @throws ApplicationError 415 unless the content type is JSON. */
export function checkJsonType(contentType: string | undefined): void {
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/json' || /^application\/[\w.-]+\+json$/.test(mediaType)) return
  throw new ApplicationError('The content type has to be application/json.', { code: 'content-type-unsupported', status: 415 })
}

/**
 * Reads bytes as JSON. Bytes that are no UTF-8 are refused rather than repaired: what is stored is what was sent.
 * @throws BadRequestError
 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body))
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
