import { createPublicKey, verify as verifyEd25519, type KeyObject } from 'node:crypto'
import { SignatureError } from '../signature-error.ts'
import { decodeSignature, DIGEST_BYTES, hmacTest, requireMatch, type SignatureTest } from './digest.ts'
import type { Scheme, SecretReading, SignedRequest } from './scheme.ts'
import { checkAge, readTimestamp } from './timestamp.ts'

/** `v1` is an HMAC with a shared secret; `v1a` an ed25519 signature, of which we hold the public key. */
export type StandardKey = { readonly version: 'v1'; readonly secret: Buffer } | { readonly version: 'v1a'; readonly publicKey: KeyObject }

type Version = StandardKey['version']

const SIGNATURE_BYTES: Readonly<Record<Version, number>> = { v1: DIGEST_BYTES.sha256, v1a: 64 }
const PUBLIC_KEY_BYTES = 32
const SECRET_BYTES = { min: 24, max: 64 }

/**
 * Standard Webhooks 1.0.0: signatures over `id.timestamp.body`, in headers that begin with `webhook-`, or with `svix-`
 * from Svix and its customers. The id is the same for every delivery of one event.
 */
export const standard: Scheme<StandardKey> = {
  eventId: { header: 'webhook-id', or: 'svix-id' },
  type: { pointer: '/type' },
  data: '/data',

  readSecret(secret) {
    if (secret.startsWith('whpk_')) return readPublicKey(secret.slice('whpk_'.length))
    if (secret.startsWith('whsec_')) return readSharedSecret(secret.slice('whsec_'.length))
    return { refused: 'is neither a whsec_ secret nor a whpk_ public key' }
  },

  verify(request, { keys, ...clock }) {
    const { id, timestamp, signature } = headersOf(request)
    if (!signature) throw new SignatureError('signature-missing')
    if (!id) throw new SignatureError('signed-id-missing')
    if (!timestamp) throw new SignatureError('timestamp-missing')
    const signedAt = readTimestamp(timestamp, 's')
    const signed = [`${id}.${timestamp}.`, request.body]
    requireMatch(
      signaturesIn(signature, keys),
      keys.map(key => testFor(key, signed)),
    )
    checkAge(signedAt, clock)
  },
}

interface Offered {
  readonly version: Version
  readonly bytes: Buffer
}

// A key tests signatures of its own version only: v1 beside a public key would be an HMAC keyed with what everybody knows.
function testFor(key: StandardKey, signed: readonly (string | Buffer)[]): (signature: Offered) => boolean {
  const test = key.version === 'v1' ? hmacTest(key.secret, signed) : ed25519Test(key.publicKey, signed)
  return ({ version, bytes }) => version === key.version && test(bytes)
}

function ed25519Test(publicKey: KeyObject, signed: readonly (string | Buffer)[]): SignatureTest {
  const message = Buffer.concat(signed.map(part => Buffer.from(part)))
  return signature => verifyEd25519(null, message, publicKey, signature)
}

/** The signatures that some key of ours could have made; versions that no key is for are somebody else's and skipped. */
function signaturesIn(header: string, keys: readonly StandardKey[]): Offered[] {
  const listed = header.split(' ').map(part => part.split(','))
  if (listed.some(parts => parts.length > 2)) throw new SignatureError('signature-repeated')
  const versions = new Set<string>(keys.map(({ version }) => version))
  const known = listed.filter(([version = '']) => versions.has(version))
  if (known.length === 0 && listed.some(([, text]) => text !== undefined)) throw new SignatureError('signature-version')
  return known.flatMap(([version, text = '']) => {
    const bytes = decodeSignature(text, 'base64', SIGNATURE_BYTES[version as Version])
    return bytes === undefined ? [] : [{ version: version as Version, bytes }]
  })
}

// Some senders send both families of headers, with the same values. With others nobody could say which of them counts.
function headersOf({ headers }: SignedRequest) {
  const of = (name: string) => {
    const [value, other] = [headers[`webhook-${name}`], headers[`svix-${name}`]]
    if (value && other && value !== other) throw new SignatureError('signature-repeated')
    return value || other
  }
  return { id: of('id'), timestamp: of('timestamp'), signature: of('signature') }
}

function readSharedSecret(encoded: string): SecretReading<StandardKey> {
  const secret = decodeKey(encoded)
  if (secret === undefined || secret.length < SECRET_BYTES.min || secret.length > SECRET_BYTES.max) {
    return { refused: `holds a whsec_ secret that is no base64 of ${SECRET_BYTES.min} to ${SECRET_BYTES.max} bytes` }
  }
  return { key: { version: 'v1', secret } }
}

function readPublicKey(encoded: string): SecretReading<StandardKey> {
  const bytes = decodeKey(encoded)
  if (bytes?.length !== PUBLIC_KEY_BYTES) return { refused: `holds a whpk_ key that is no base64 of ${PUBLIC_KEY_BYTES} bytes` }
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') } })
  return { key: { version: 'v1a', publicKey } }
}

// Some senders leave the padding out.
function decodeKey(encoded: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined
}
