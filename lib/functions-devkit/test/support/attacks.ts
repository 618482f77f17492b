import { composeDelivery } from '../../src/server/compose-delivery.ts'
import { application } from '../../src/application.ts'
import { randomId } from '../../src/server/samples.ts'
import { signDelivery } from '../../src/server/sign-delivery.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'

export interface Attack {
  readonly what: string
  readonly headers: Record<string, string>
  readonly body: Buffer
  readonly code: string
}

export interface Target {
  readonly definition: SourceDefinition
  readonly secret: string
  readonly anotherSecret: string
}

/** A delivery that nothing is wrong with, and how to sign another body in its place. */
export function honestDelivery({ definition, secret }: Target, { sentAt = Date.now(), id = 'evt_1' } = {}) {
  const type = 'transaction.completed'
  const { headers, body } = composeDelivery({ definition, secret, type, data: application.samples.eventData(type, randomId), id, sentAt })
  const signed = (other: Buffer, key = secret) => ({ ...headers, ...signDelivery(definition, { id, body: other, sentAt, secret: key }) })
  return { headers: { ...headers }, body: Buffer.from(body), signed }
}

/** Where a scheme has its signature and its time stamp, and what stands for a repeated signature in the log. */
function partsOf(definition: SourceDefinition): { signature: string; timestamp?: string; inList?: boolean } {
  switch (definition.scheme) {
    case 'standard':
      return { signature: 'webhook-signature', timestamp: 'webhook-timestamp' }
    case 'stripe':
      return { signature: 'stripe-signature', timestamp: 'stripe-signature', inList: true }
    case 'digitalocean':
      return { signature: 'do-signature', timestamp: 'do-signature', inList: true }
    case 'github':
      return { signature: 'x-hub-signature-256' }
    case 'shopify':
      return { signature: 'x-shopify-hmac-sha256' }
    case 'hmac':
      return { signature: definition.signature.header, ...(definition.timestamp ? { timestamp: definition.timestamp.header } : {}) }
  }
  return definition satisfies never
}

/** What a forger may try on a source, each with the code that the refusal has to have. */
export function attacksOn(target: Target): Attack[] {
  const { headers, body, signed } = honestDelivery(target)
  const { signature, timestamp, inList = false } = partsOf(target.definition)
  const value = headers[signature] ?? ''
  const changed = (header: string, text: string) => ({ ...headers, [header]: text })
  const { [signature]: _left, ...unsigned } = headers
  const altered = Buffer.from(body)
  altered[5] = (altered[5] ?? 0) ^ 1
  const other = Buffer.from('{"id":"evt_2","type":"transaction.completed","data":{}}')
  const attacks: Attack[] = [
    { what: 'no signature', headers: unsigned, body, code: 'signature-missing' },
    { what: 'a truncated signature', headers: changed(signature, value.slice(0, -2)), body, code: 'signature-malformed' },
    { what: 'an altered signature', headers: changed(signature, bent(value)), body, code: 'signature-mismatch' },
    { what: 'a truncated body', headers, body: body.subarray(0, -1), code: 'signature-mismatch' },
    { what: 'one altered byte', headers, body: altered, code: 'signature-mismatch' },
    { what: "another body's signature", headers: signed(other), body, code: 'signature-mismatch' },
    { what: "another source's secret", headers: signed(body, target.anotherSecret), body, code: 'signature-mismatch' },
    {
      what: 'a signature header that came twice',
      headers: changed(signature, `${value}, ${value}`),
      body,
      code: inList ? 'timestamp-repeated' : 'signature-repeated',
    },
  ]
  if (timestamp === undefined) return attacks
  const stamped = headers[timestamp] ?? ''
  const at = (offsetMs: number) => honestDelivery(target, { sentAt: Date.now() + offsetMs })
  const [stale, future] = [at(-310_000), at(310_000)]
  attacks.push(
    { what: 'a stale time stamp', headers: stale.headers, body: stale.body, code: 'timestamp-too-old' },
    { what: 'a future time stamp', headers: future.headers, body: future.body, code: 'timestamp-too-new' },
    {
      what: 'two time stamps',
      headers: changed(timestamp, inList ? `t=1,${stamped}` : `1, ${stamped}`),
      body,
      code: 'timestamp-repeated',
    },
    {
      what: 'a time stamp with something behind it',
      headers: changed(timestamp, inList ? stamped.replace(/t=\d+/, '$&abc') : `${stamped}abc`),
      body,
      code: 'timestamp-malformed',
    },
    {
      what: 'a time stamp that was moved',
      headers: changed(timestamp, inList ? stamped.replace(/t=\d+/, moved) : moved(stamped)),
      body,
      code: 'signature-mismatch',
    },
  )
  return attacks
}

// Another digit or letter in the middle of the signature, which leaves its form.
function bent(text: string): string {
  const at = text.length - 12
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1)
}

function moved(text: string): string {
  return text.replace(/\d$/, digit => (digit === '0' ? '1' : '0'))
}
