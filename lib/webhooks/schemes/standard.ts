import { createHmac, timingSafeEqual } from 'node:crypto'
import { SignatureError } from '../signature-error.ts'

/** A request whose signature is good. */
export interface VerifiedWebhook {
  /** The same for every delivery of one event. */
  readonly eventId: string
}

export interface StandardOptions {
  /** HMAC keys; more than one while a secret is being rotated. */
  readonly keys: readonly Buffer[]
  /** How far the sender's clock may be from ours, in either direction, in ms. */
  readonly toleranceMs?: number
  readonly now?: () => number
}

const TOLERANCE_MS = 5 * 60 * 1000
const SIGNATURE_BYTES = 32
const MAX_ID_LENGTH = 255
// Before the year 5138; more digits would be milliseconds, which this scheme does not send.
const TIMESTAMP = /^\d{1,11}$/

/**
 * Verifies a Standard Webhooks 1.0.0 request (`v1`: HMAC-SHA256 over `id.timestamp.body`) on the bytes as they came.
 * @throws SignatureError with a code for each cause.
 */
export function verifyStandard(
  request: { headers: Readonly<Record<string, string>>; body: Buffer },
  { keys, toleranceMs = TOLERANCE_MS, now = Date.now }: StandardOptions,
): VerifiedWebhook {
  const id = request.headers['webhook-id']
  const timestamp = request.headers['webhook-timestamp']
  const header = request.headers['webhook-signature']
  if (!id || !timestamp || !header) throw new SignatureError('signature-missing')
  if (id.length > MAX_ID_LENGTH || !TIMESTAMP.test(timestamp)) throw new SignatureError('signature-malformed')

  const offered = signaturesIn(header)
  if (offered.length === 0) throw new SignatureError('signature-malformed')
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body])
  const expected = keys.map(key => createHmac('sha256', key).update(signed).digest())
  // Every pair is compared, so that the time taken does not tell which key matched.
  const matches = expected.flatMap(digest => offered.map(signature => timingSafeEqual(digest, signature)))
  if (!matches.includes(true)) throw new SignatureError('signature-mismatch')

  // Only after the signature: until then the time stamp is anybody's.
  const ageMs = now() - Number(timestamp) * 1000
  if (ageMs > toleranceMs) throw new SignatureError('timestamp-too-old')
  if (ageMs < -toleranceMs) throw new SignatureError('timestamp-too-new')
  return { eventId: id }
}

/** Reads a `whsec_` secret into key bytes; `undefined` when it is not base64 of 24 to 64 bytes. */
export function readStandardSecret(secret: string): Buffer | undefined {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : ''
  const key = Buffer.from(encoded, 'base64')
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  return isBase64 && key.length >= 24 && key.length <= 64 ? key : undefined
}

// The header is a list; versions other than v1 are somebody else's and skipped.
function signaturesIn(header: string): Buffer[] {
  return header
    .split(' ')
    .filter(part => part.startsWith('v1,'))
    .map(part => Buffer.from(part.slice('v1,'.length), 'base64'))
    .filter(signature => signature.length === SIGNATURE_BYTES)
}
