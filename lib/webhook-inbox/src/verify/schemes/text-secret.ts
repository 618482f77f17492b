import type { SecretReading } from './scheme.ts'

const SHORTEST = 8
const SHORTEST_STRONG = 20

/** Reads a secret whose characters, as UTF-8, are the key. */
export function readTextSecret(secret: string): SecretReading<Buffer> {
  // Everybody may know a public key: as an HMAC key it would let everybody sign.
  if (/^wh[ps]k_/.test(secret)) return { refused: 'holds a key of a pair (whpk_, whsk_), and this scheme shares a secret' }
  if (secret.length < SHORTEST) return { refused: `holds a secret shorter than ${SHORTEST} characters (blanks separate secrets)` }
  return { key: Buffer.from(secret, 'utf8'), weak: secret.length < SHORTEST_STRONG }
}
