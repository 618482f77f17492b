import { SignatureError } from '../signature-error.ts'
import { decodeSignature, DIGEST_BYTES, hmacTest, requireMatch, singleSignature, type Algorithm, type Encoding } from './digest.ts'
import type { Scheme } from './scheme.ts'
import { readTextSecret } from './text-secret.ts'
import { checkAge, readTimestamp } from './timestamp.ts'

/** How a sender signs that follows no scheme of a name. */
export interface HmacDescription {
  readonly signature: {
    readonly header: string
    readonly algorithm: Algorithm
    readonly encoding: Encoding
    /** What stands before the signature in the header, such as `sha256=`. */
    readonly prefix?: string
  }
  /** Epoch seconds, unless `unit` says ms. */
  readonly timestamp?: {
    readonly header: string
    readonly unit?: 's' | 'ms'
    /**
     * What stands between time stamp and body in the signed bytes. Without it the body alone is signed, and the time
     * stamp stops nobody who sends a captured request again: it is only as good as the wire.
     */
    readonly separator?: string
  }
}

/** An HMAC over the body, or over time stamp and body, in a header of its own. */
export function hmac({ signature, timestamp }: HmacDescription): Scheme<Buffer> {
  const { algorithm, encoding, prefix = '' } = signature
  const header = signature.header.toLowerCase()
  return {
    data: '',
    readSecret: readTextSecret,
    verify({ headers, body }, { keys, ...clock }) {
      const value = singleSignature(headers[header])
      const text = value.startsWith(prefix) ? value.slice(prefix.length) : ''
      const stamp = timestamp && headers[timestamp.header.toLowerCase()]
      if (timestamp && !stamp) throw new SignatureError('timestamp-missing')
      const signedAt = stamp === undefined ? undefined : readTimestamp(stamp, timestamp?.unit ?? 's')
      const signed = timestamp?.separator === undefined ? [body] : [`${stamp}${timestamp.separator}`, body]
      const offered = decodeSignature(text, encoding, DIGEST_BYTES[algorithm])
      requireMatch(
        offered === undefined ? [] : [offered],
        keys.map(key => hmacTest(key, signed, algorithm)),
      )
      if (signedAt !== undefined) checkAge(signedAt, clock)
    },
  }
}
