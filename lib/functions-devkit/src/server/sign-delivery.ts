import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { signStandard } from '../../../functions-ops/src/alerts/sign.ts'
import type { HmacDescription } from '../../../webhook-inbox/src/verify/schemes/hmac.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'

/** What is signed: the very bytes that are sent. */
export interface Unsigned {
  /** Only Standard Webhooks signs it; others have it where the source says. */
  readonly id: string
  readonly body: string | Buffer
  /** Epoch ms. */
  readonly sentAt: number
  /** As it stands in the variable; for Standard Webhooks a `whsk_` private key as well. */
  readonly secret: string
}

/** The headers with which the sender that a source describes signs a body. */
export function signDelivery(definition: SourceDefinition, unsigned: Unsigned): Record<string, string> {
  const { body, secret, sentAt } = unsigned
  const seconds = String(Math.floor(sentAt / 1000))
  switch (definition.scheme) {
    case 'standard':
      return standardHeaders(unsigned)
    case 'stripe':
      return { 'stripe-signature': `t=${seconds},v1=${hmac(secret, [seconds, '.', body]).toString('hex')}` }
    case 'digitalocean':
      return { 'do-signature': `t=${sentAt},v1=${hmac(secret, [String(sentAt), '.', body]).toString('hex')}` }
    case 'github':
      return { 'x-hub-signature-256': `sha256=${hmac(secret, [body]).toString('hex')}` }
    case 'shopify':
      return { 'x-shopify-hmac-sha256': hmac(secret, [body]).toString('base64') }
    case 'hmac':
      return describedHeaders(definition, unsigned)
  }
  return definition satisfies never
}

/** Standard Webhooks: `v1` with the bytes behind `whsec_`, `v1a` with the ed25519 key behind `whsk_`. */
export function standardHeaders({ id, body, sentAt, secret }: Unsigned): Record<string, string> {
  if (!secret.startsWith('whsk_')) return signStandard({ id, body, sentAt, key: Buffer.from(secret.replace(/^whsec_/, ''), 'base64') })
  const timestamp = String(Math.floor(sentAt / 1000))
  const signature = `v1a,${ed25519(secret.slice('whsk_'.length), [`${id}.${timestamp}.`, body]).toString('base64')}`
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

function describedHeaders({ signature, timestamp }: HmacDescription, { body, sentAt, secret }: Unsigned): Record<string, string> {
  const { header, algorithm, encoding, prefix = '' } = signature
  const stamp = String(timestamp?.unit === 'ms' ? sentAt : Math.floor(sentAt / 1000))
  const signed = timestamp?.separator === undefined ? [body] : [stamp, timestamp.separator, body]
  return {
    [header]: prefix + hmac(secret, signed, algorithm).toString(encoding),
    ...(timestamp === undefined ? {} : { [timestamp.header]: stamp }),
  }
}

function hmac(key: string | Buffer, signed: readonly (string | Buffer)[], algorithm = 'sha256'): Buffer {
  const hash = createHmac(algorithm, key)
  for (const part of signed) hash.update(part)
  return hash.digest()
}

// The text holds the seed and, behind it, the public key.
function ed25519(encoded: string, signed: readonly (string | Buffer)[]): Buffer {
  const bytes = Buffer.from(encoded, 'base64')
  const [d, x] = [bytes.subarray(0, 32), bytes.subarray(32)].map(part => part.toString('base64url'))
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d: d ?? '', x: x ?? '' } })
  return sign(null, Buffer.concat(signed.map(part => Buffer.from(part))), key)
}
