import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { github } from '../../src/verify/schemes/github.ts'
import { hmac, type HmacDescription } from '../../src/verify/schemes/hmac.ts'
import type { Scheme } from '../../src/verify/schemes/scheme.ts'
import { shopify } from '../../src/verify/schemes/shopify.ts'
import { codeOf, keysOf } from '../../../functions-devkit/test/support/schemes.ts'

const secret = "It's-a-Secret-to-Everybody"
const nowMs = Date.UTC(2026, 10, 24, 8)
const seconds = String(nowMs / 1000)
const body = Buffer.from('{"type":"a"}')
const digest = (encoding: 'hex' | 'base64', { key = secret, over = [body] as (string | Buffer)[], algorithm = 'sha256' } = {}) => {
  const hash = createHmac(algorithm, key)
  for (const part of over) hash.update(part)
  return hash.digest(encoding)
}
const faultOf = (scheme: Scheme<Buffer>, headers: Record<string, string>, sent: Buffer = body, keys = keysOf(scheme, secret)) =>
  codeOf(() => scheme.verify({ headers, body: sent }, { keys, now: () => nowMs }))

describe('github', () => {
  const fault = (signature: string) => faultOf(github, { 'x-hub-signature-256': signature })

  it("accepts the example of GitHub's documentation", () => {
    const headers = { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' }
    const keys = [Buffer.from("It's a Secret to Everybody")]
    expect(faultOf(github, headers, Buffer.from('Hello, World!'), keys)).toBe('accepted')
  })

  it.each([
    ['a good one', `sha256=${digest('hex')}`, 'accepted'],
    ['none', '', 'signature-missing'],
    ['one without its prefix', digest('hex'), 'signature-malformed'],
    ['one of SHA-1', `sha1=${digest('hex', { algorithm: 'sha1' })}`, 'signature-malformed'],
    ['one in upper case', `sha256=${digest('hex').toUpperCase()}`, 'signature-malformed'],
    ['one in base64', `sha256=${digest('base64')}`, 'signature-malformed'],
    ['one that is too short', `sha256=${digest('hex').slice(2)}`, 'signature-malformed'],
    ['two, joined', `sha256=${digest('hex')}, sha256=${digest('hex')}`, 'signature-repeated'],
    ["one of another's secret", `sha256=${digest('hex', { key: 'another' })}`, 'signature-mismatch'],
  ])('answers %s as it should', (_what, signature, code) => {
    expect(fault(signature)).toBe(code)
  })
})

describe('shopify', () => {
  it.each([
    ['a good one', digest('base64'), 'accepted'],
    ['none', '', 'signature-missing'],
    ['one in hex', digest('hex'), 'signature-malformed'],
    ['one without its padding', digest('base64').replace('=', ''), 'signature-malformed'],
    ['two, joined', `${digest('base64')}, ${digest('base64')}`, 'signature-repeated'],
    ['one of another body', digest('base64', { over: ['{}'] }), 'signature-mismatch'],
  ])('answers %s as it should', (_what, signature, code) => {
    expect(faultOf(shopify, { 'x-shopify-hmac-sha256': signature })).toBe(code)
  })
})

describe('hmac as described', () => {
  it.each(['sha256', 'sha512'] as const)('verifies %s in hex and base64, with and without a prefix', algorithm => {
    for (const encoding of ['hex', 'base64'] as const) {
      for (const prefix of ['', 'v0=']) {
        const scheme = hmac({ signature: { header: 'X-Signature', algorithm, encoding, prefix } })
        expect(faultOf(scheme, { 'x-signature': prefix + digest(encoding, { algorithm }) })).toBe('accepted')
        expect(faultOf(scheme, { 'x-signature': prefix + digest(encoding, { algorithm, key: 'other' }) })).toBe('signature-mismatch')
        const other = algorithm === 'sha256' ? 'sha512' : 'sha256'
        expect(faultOf(scheme, { 'x-signature': prefix + digest(encoding, { algorithm: other }) })).toBe('signature-malformed')
      }
    }
  })

  const timed = (timestamp: HmacDescription['timestamp']) =>
    hmac({ signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex' }, ...(timestamp ? { timestamp } : {}) })

  it('verifies a time stamp that is signed with the body', () => {
    const scheme = timed({ header: 'X-Timestamp', separator: ':' })
    const headers = { 'x-timestamp': seconds, 'x-signature': digest('hex', { over: [seconds, ':', body] }) }
    expect(faultOf(scheme, headers)).toBe('accepted')
    expect(faultOf(scheme, { ...headers, 'x-timestamp': String(Number(seconds) - 1) })).toBe('signature-mismatch')
    expect(faultOf(scheme, { 'x-signature': headers['x-signature'] })).toBe('timestamp-missing')
    expect(faultOf(scheme, { ...headers, 'x-timestamp': `${seconds},${seconds}` })).toBe('timestamp-repeated')
    expect(faultOf(scheme, { ...headers, 'x-timestamp': `${seconds}s` })).toBe('timestamp-malformed')
  })

  it('looks at a time stamp that is not signed as well, in the unit that the source says', () => {
    const scheme = timed({ header: 'x-timestamp', unit: 'ms' })
    const at = (offset: number) => faultOf(scheme, { 'x-timestamp': String(nowMs + offset), 'x-signature': digest('hex') })
    expect([at(0), at(-300_001), at(300_001)]).toEqual(['accepted', 'timestamp-too-old', 'timestamp-too-new'])
  })
})

describe('a text secret', () => {
  it.each([
    ['12345678', true],
    ['1234567890123456789', true],
    ['12345678901234567890', false],
    ['whsec_of-stripe-for-instance', false],
  ])('%j is taken; weak: %s', (text, weak) => {
    expect(github.readSecret(text)).toEqual({ key: Buffer.from(text), weak })
  })

  it.each(['1234567', `whpk_${Buffer.alloc(32, 1).toString('base64')}`, `whsk_${Buffer.alloc(64, 1).toString('base64')}`])('%j is refused', text => {
    expect(github.readSecret(text)).toEqual({ refused: expect.any(String) as string })
  })
})
