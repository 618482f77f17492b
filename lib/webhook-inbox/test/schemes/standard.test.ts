import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { standard, type StandardKey } from '../../src/verify/schemes/standard.ts'
import type { VerifyOptions } from '../../src/verify/schemes/scheme.ts'
import { codeOf, keysOf } from '../../../functions-devkit/test/support/schemes.ts'
import { signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
const keys = keysOf(standard, secret)
const nowMs = Date.UTC(2026, 10, 24, 8)
const seconds = nowMs / 1000
const body = Buffer.from('{"type":"a"}')
const good = () => signedHeaders(body, { id: 'msg_1', timestamp: seconds, secret })
const verify = (headers: Record<string, string>, sent: Buffer = body, options: Partial<VerifyOptions<StandardKey>> = {}) =>
  standard.verify({ headers, body: sent }, { keys, now: () => nowMs, ...options })
const fault = (headers: Record<string, string>, sent?: Buffer, options?: Partial<VerifyOptions<StandardKey>>) =>
  codeOf(() => verify(headers, sent, options))

describe('v1', () => {
  it('accepts the example of the specification', () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    const example = Buffer.from('{"test": 2432232314}')
    expect(fault(headers, example, { keys: keysOf(standard, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), now: () => 1_614_265_330_000 })).toBe(
      'accepted',
    )
  })

  it('accepts a good signature among others and any of several keys', () => {
    const headers = good()
    headers['webhook-signature'] = `v1a,AAAA v2,xyz v1,${Buffer.alloc(32).toString('base64')} ${headers['webhook-signature']}`
    expect(fault(headers, body, { keys: [...keysOf(standard, `whsec_${Buffer.alloc(32, 9).toString('base64')}`), ...keys] })).toBe('accepted')
  })

  it('accepts the headers under the names that Svix gives them, and both families if they agree', () => {
    const svix = Object.fromEntries(Object.entries(good()).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]))
    expect(fault(svix)).toBe('accepted')
    expect(fault({ ...svix, ...good() })).toBe('accepted')
  })

  it.each(['id', 'timestamp', 'signature'])('refuses two families of headers that differ in the %s', name => {
    expect(fault({ ...good(), [`svix-${name}`]: 'other' })).toBe('signature-repeated')
  })

  it.each([
    ['webhook-id', 'signed-id-missing'],
    ['webhook-timestamp', 'timestamp-missing'],
    ['webhook-signature', 'signature-missing'],
  ])('refuses a request without %s', (name, code) => {
    const { [name]: _left, ...headers } = good()
    expect(fault(headers)).toBe(code)
    expect(fault({ ...headers, [name]: '' })).toBe(code)
  })

  it.each([
    ['v1', 'signature-malformed'],
    ['v1,', 'signature-malformed'],
    ['v1,AAAA', 'signature-malformed'],
    ['nonsense', 'signature-malformed'],
    ['v2,abc', 'signature-version'],
    ['v1a,abc', 'signature-version'],
    ['v1,abc,def', 'signature-repeated'],
  ])('answers %j as a signature with %s', (signature, code) => {
    expect(fault({ ...good(), 'webhook-signature': signature })).toBe(code)
  })

  it('refuses a header that came twice and was joined', () => {
    const headers = good()
    expect(fault({ ...headers, 'webhook-signature': `${headers['webhook-signature']}, ${headers['webhook-signature']}` })).toBe('signature-repeated')
    expect(fault({ ...headers, 'webhook-timestamp': `${seconds}, ${seconds}` })).toBe('timestamp-repeated')
    expect(fault({ ...headers, 'webhook-id': 'msg_1, msg_1' })).toBe('signature-mismatch')
  })

  it('refuses more signatures than an honest sender lists', () => {
    const wrong = `v1,${Buffer.alloc(32).toString('base64')}`
    const list = (length: number) => [...Array<string>(length - 1).fill(wrong), good()['webhook-signature']].join(' ')
    expect(fault({ ...good(), 'webhook-signature': list(16) })).toBe('accepted')
    expect(fault({ ...good(), 'webhook-signature': list(17) })).toBe('signature-malformed')
  })

  it('takes a signature in one way of writing only', () => {
    const headers = good()
    const signature = headers['webhook-signature'] ?? ''
    for (const other of [signature.replace(/=$/, ''), signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, ''), `${signature}=`]) {
      expect(fault({ ...headers, 'webhook-signature': other })).toBe('signature-malformed')
    }
  })

  it.each(['123abc', '1e9', '-1', ' 1', '1.5', '0123', '+1', '0x10', '１', '999999999999'])('refuses %j as a time stamp', timestamp => {
    expect(fault({ ...good(), 'webhook-timestamp': timestamp })).toBe('timestamp-malformed')
  })

  it.each([
    ['the id', { 'webhook-id': 'msg_2' }],
    ['the time stamp', { 'webhook-timestamp': String(seconds + 1) }],
  ])('refuses a request in which %s was changed', (_part, change) => {
    expect(fault({ ...good(), ...change })).toBe('signature-mismatch')
  })

  it('refuses a body in which any one bit was changed', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.nat(7), (index, bit) => {
        const altered = Buffer.from(body)
        altered[index] = (altered[index] ?? 0) ^ (1 << bit)
        return fault(good(), altered) === 'signature-mismatch'
      }),
    )
  })

  it.each([
    [-301, 'timestamp-too-old'],
    [-300, 'accepted'],
    [300, 'accepted'],
    [301, 'timestamp-too-new'],
  ])('answers a signature made %i s from now with %s', (offset, outcome) => {
    expect(fault(signedHeaders(body, { timestamp: seconds + offset, secret }))).toBe(outcome)
  })

  it('does not tell a forger that only the time is wrong', () => {
    expect(fault({ ...good(), 'webhook-timestamp': String(seconds - 9_999) })).toBe('signature-mismatch')
  })

  it('verifies bodies of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const sent = Buffer.from(bytes)
        return fault(signedHeaders(sent, { id: 'x', timestamp: seconds, secret }), sent) === 'accepted'
      }),
    )
  })

  it('takes a tolerance of its own', () => {
    const old = signedHeaders(body, { timestamp: seconds - 60, secret })
    expect(fault(old, body, { toleranceMs: 60_000 })).toBe('accepted')
    expect(fault(old, body, { toleranceMs: 59_999 })).toBe('timestamp-too-old')
  })
})

describe('v1a', () => {
  const pair = generateKeyPairSync('ed25519')
  const raw = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const publicKey = `whpk_${raw.toString('base64')}`
  const asymmetric = keysOf(standard, publicKey)
  const signed = (id = 'msg_1', at = seconds, sent = body) => Buffer.concat([Buffer.from(`${id}.${at}.`), sent])
  const headersWith = (signature: string, at = seconds) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(at),
    'webhook-signature': signature,
  })
  const signature = (at = seconds) => `v1a,${sign(null, signed('msg_1', at), pair.privateKey).toString('base64')}`
  const v1aFault = (
    signatureHeader: string,
    { sent = body, at = seconds, with: held = asymmetric }: { sent?: Buffer; at?: number; with?: StandardKey[] } = {},
  ) => fault(headersWith(signatureHeader, at), sent, { keys: held })

  it('accepts what the private key signed, over id, time stamp and body', () => {
    expect(v1aFault(signature())).toBe('accepted')
    expect(v1aFault(signature(), { sent: Buffer.from('{"type":"b"}') })).toBe('signature-mismatch')
    expect(v1aFault(signature(), { at: seconds + 1 })).toBe('signature-mismatch')
    expect(v1aFault(signature(seconds - 301), { at: seconds - 301 })).toBe('timestamp-too-old')
    expect(v1aFault(signature(seconds + 301), { at: seconds + 301 })).toBe('timestamp-too-new')
  })

  it('accepts any body of any bytes, and none with a bit changed in body or signature', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(511), (bytes, inBody, inSignature) => {
        const sent = Buffer.from(bytes)
        const good = sign(null, signed('msg_1', seconds, sent), pair.privateKey)
        const altered = Buffer.from(sent)
        altered[inBody % altered.length]! ^= 1
        const bent = Buffer.from(good)
        bent[inSignature >> 3]! ^= 1 << (inSignature & 7)
        const of = (one: Buffer, over: Buffer) => v1aFault(`v1a,${one.toString('base64')}`, { sent: over })
        expect([of(good, sent), of(good, altered), of(bent, sent)]).toEqual(['accepted', 'signature-mismatch', 'signature-mismatch'])
      }),
    )
  })

  it('accepts the first key of RFC 8032 as node:crypto understands it', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const x = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
    const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url'), x: x.toString('base64url') } })
    const made = `v1a,${sign(null, signed(), key).toString('base64')}`
    expect(v1aFault(made, { with: keysOf(standard, `whpk_${x.toString('base64')}`) })).toBe('accepted')
  })

  it('takes no v1 beside a public key, be it made with the public key itself', () => {
    const forged = createHmac('sha256', raw).update(signed()).digest('base64')
    expect(v1aFault(`v1,${forged}`)).toBe('signature-version')
    expect(v1aFault(`v1a,${forged}`)).toBe('signature-malformed')
    expect(v1aFault(`v1,${forged} v1a,${Buffer.alloc(64).toString('base64')}`)).toBe('signature-mismatch')
    expect(v1aFault(`v1,${forged}`, { with: [...asymmetric, ...keys] })).toBe('signature-mismatch')
  })

  it('takes no v1a where only a secret is shared', () => {
    expect(v1aFault(signature(), { with: keys })).toBe('signature-version')
  })

  it('is taken beside v1, with keys of both kinds', () => {
    const both = [...keys, ...asymmetric]
    expect(v1aFault(signature(), { with: both })).toBe('accepted')
    expect(fault(good(), body, { keys: both })).toBe('accepted')
    expect(v1aFault(`${signature()} ${good()['webhook-signature']}`, { with: both })).toBe('accepted')
  })
})

describe('the secret', () => {
  it.each([24, 32, 64])('may be %i bytes', length => {
    expect(standard.readSecret(`whsec_${Buffer.alloc(length, 3).toString('base64')}`)).toMatchObject({
      key: { version: 'v1', secret: Buffer.alloc(length, 3) },
    })
  })

  it.each([
    '',
    'whsec_',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    'whsec_not*base64*not*base64*not*base64',
    `whsk_${Buffer.alloc(64).toString('base64')}`,
    `whpk_${Buffer.alloc(31, 1).toString('base64')}`,
    `whpk_${Buffer.alloc(33, 1).toString('base64')}`,
    'whpk_',
  ])('is refused as %j', text => {
    expect(standard.readSecret(text)).toEqual({ refused: expect.any(String) as string })
  })
})
