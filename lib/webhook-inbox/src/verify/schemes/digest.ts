import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { SignatureError } from '../signature-error.ts'

export type Algorithm = 'sha256' | 'sha512'
export type Encoding = 'hex' | 'base64'

export const DIGEST_BYTES: Readonly<Record<Algorithm, number>> = { sha256: 32, sha512: 64 }

// Two for a rotation, a few for other versions of a scheme; what is more would only be work.
const MAX_SIGNATURES = 16

/**
 * Decodes a signature of so many bytes. Only one way of writing them is taken (lower case, padding, no stray bits), as
 * the senders' own verifiers do; anything else is `undefined`.
 */
export function decodeSignature(text: string, encoding: Encoding, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, encoding)
  return decoded.length === bytes && decoded.toString(encoding) === text ? decoded : undefined
}

/** Tells of a signature whether a key made it, over these parts one after the other. */
export type SignatureTest = (signature: Buffer) => boolean

/** The test for an HMAC; it compares in constant time. */
export function hmacTest(key: Buffer, signed: readonly (string | Buffer)[], algorithm: Algorithm = 'sha256'): SignatureTest {
  const hmac = createHmac(algorithm, preparedKey(key))
  for (const part of signed) hmac.update(part)
  const digest = hmac.digest()
  return signature => signature.length === digest.length && timingSafeEqual(digest, signature)
}

const preparedKeys = new WeakMap<Buffer, KeyObject>()

// Made of bytes anew, the key costs more than the digest of a short body.
function preparedKey(bytes: Buffer): KeyObject {
  const known = preparedKeys.get(bytes) ?? createSecretKey(bytes)
  preparedKeys.set(bytes, known)
  return known
}

/**
 * Requires that one of the signatures passes one of the tests. All pairs are tried, so that the time taken does not
 * tell which it was.
 * @throws SignatureError `signature-mismatch`; `signature-malformed` when there is no signature, or far too many.
 */
export function requireMatch<Signature>(offered: readonly Signature[], tests: readonly ((signature: Signature) => boolean)[]): void {
  if (offered.length === 0 || offered.length > MAX_SIGNATURES) throw new SignatureError('signature-malformed')
  const results = tests.flatMap(test => offered.map(test))
  if (!results.includes(true)) throw new SignatureError('signature-mismatch')
}

/**
 * The value of a header that holds one signature.
 * @throws SignatureError `signature-missing`, or `signature-repeated` when a header that came twice was joined.
 */
export function singleSignature(value: string | undefined): string {
  if (!value) throw new SignatureError('signature-missing')
  if (value.includes(',')) throw new SignatureError('signature-repeated')
  return value
}
