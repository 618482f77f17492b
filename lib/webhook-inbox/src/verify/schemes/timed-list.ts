import { SignatureError } from '../signature-error.ts'
import { decodeSignature, DIGEST_BYTES, hmacTest, requireMatch } from './digest.ts'
import type { SignedRequest, VerifyOptions } from './scheme.ts'
import { checkAge, readTimestamp } from './timestamp.ts'

/**
 * Verifies a header of the form `t=<time stamp>,v1=<hex>,…`, signed over `timestamp.body` with HMAC-SHA256. Several
 * `v1` are there while a secret is being replaced; parts of other names are other versions' and skipped.
 * @throws SignatureError
 */
export function verifyTimedList(
  request: SignedRequest,
  { keys, ...clock }: VerifyOptions<Buffer>,
  { header, unit }: { header: string; unit: 's' | 'either' },
): void {
  const value = request.headers[header]
  if (!value) throw new SignatureError('signature-missing')
  const { timestamp, signatures } = partsOf(value)
  const signedAt = readTimestamp(timestamp, unit)
  const offered = signatures.flatMap(text => decodeSignature(text, 'hex', DIGEST_BYTES.sha256) ?? [])
  // Over the time stamp as it came: a number written anew might be another text.
  requireMatch(
    offered,
    keys.map(key => hmacTest(key, [`${timestamp}.`, request.body])),
  )
  checkAge(signedAt, clock)
}

function partsOf(header: string): { timestamp: string; signatures: string[] } {
  const parts = header.split(',').map(part => {
    const at = part.indexOf('=')
    // A header that came twice is joined with a comma and a blank; no sender writes one.
    return at < 0 ? { name: part.trim(), value: undefined } : { name: part.slice(0, at).trim(), value: part.slice(at + 1) }
  })
  const timestamps = parts.filter(({ name }) => name === 't')
  if (timestamps.length > 1) throw new SignatureError('timestamp-repeated')
  if (parts.some(({ name, value }) => value === undefined || (name === 'v1' && value === '')) || /\s/.test(header))
    throw new SignatureError('signature-malformed')
  const timestamp = timestamps[0]?.value
  if (!timestamp) throw new SignatureError('timestamp-missing')
  const signatures = parts.flatMap(({ name, value = '' }) => (name === 'v1' ? [value] : []))
  if (signatures.length === 0) throw new SignatureError(parts.length > 1 ? 'signature-version' : 'signature-missing')
  return { timestamp, signatures }
}
