import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readStandardSecret, verifyStandard } from '../../../lib/webhooks/schemes/standard.ts'
import { signedHeaders } from '../../support/webhooks.ts'

const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
const keys = [readStandardSecret(secret)].filter(key => key !== undefined)
const nowMs = Date.UTC(2026, 10, 24, 8)
const seconds = nowMs / 1000
const body = Buffer.from('{"type":"a"}')
const good = () => signedHeaders(body, { id: 'msg_1', timestamp: seconds, secret })
const verify = (headers: Record<string, string>, sent: Buffer = body, options = {}) =>
  verifyStandard({ headers, body: sent }, { keys, now: () => nowMs, ...options })
const fault = (headers: Record<string, string>, sent?: Buffer) => {
  try {
    verify(headers, sent)
    return 'accepted'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('verifyStandard', () => {
  it('agrees with the example of the specification', () => {
    const key = readStandardSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    const verified = verifyStandard(
      { headers, body: Buffer.from('{"test": 2432232314}') },
      { keys: [key ?? Buffer.alloc(0)], now: () => 1_614_265_330_000 },
    )
    expect(verified).toEqual({ eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek' })
  })

  it('accepts a good signature among others and any of several keys', () => {
    const headers = good()
    headers['webhook-signature'] = `v1a,AAAA v2,xyz v1,${Buffer.alloc(32).toString('base64')} ${headers['webhook-signature']}`
    expect(verify(headers, body, { keys: [Buffer.alloc(32, 9), ...keys] })).toEqual({ eventId: 'msg_1' })
  })

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('refuses a request without %s', name => {
    const { [name]: _left, ...headers } = good()
    expect(fault(headers)).toBe('signature-missing')
  })

  it.each(['', 'v1', 'v1,', 'v1,AAAA', 'v2,abc', 'nonsense'])('refuses %j as a signature', signature => {
    expect(fault({ ...good(), 'webhook-signature': signature })).toBe(signature === '' ? 'signature-missing' : 'signature-malformed')
  })

  it.each(['123abc', '1e9', '-1', ' 1', '1.5', '999999999999'])('refuses %j as a time stamp', timestamp => {
    expect(fault({ ...good(), 'webhook-timestamp': timestamp })).toBe('signature-malformed')
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
        return verify(signedHeaders(sent, { id: 'x', timestamp: seconds, secret }), sent).eventId === 'x'
      }),
    )
  })

  it('refuses an id that the table cannot hold, however well it is signed', () => {
    const signed = (length: number) => signedHeaders(body, { id: 'x'.repeat(length), timestamp: seconds, secret })
    expect(fault(signed(255))).toBe('accepted')
    expect(fault(signed(256))).toBe('signature-malformed')
  })
})

describe('readStandardSecret', () => {
  it.each([24, 32, 64])('takes %i bytes', length => {
    expect(readStandardSecret(`whsec_${Buffer.alloc(length, 3).toString('base64')}`)).toHaveLength(length)
  })

  it.each([
    '',
    'whsec_',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    'whsec_not*base64*not*base64*not*base64',
    `whpk_${Buffer.alloc(32).toString('base64')}`,
  ])('refuses %j', text => {
    expect(readStandardSecret(text)).toBeUndefined()
  })
})
