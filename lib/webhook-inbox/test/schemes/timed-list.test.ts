import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { digitalocean } from '../../src/verify/schemes/digitalocean.ts'
import type { Scheme } from '../../src/verify/schemes/scheme.ts'
import { stripe } from '../../src/verify/schemes/stripe.ts'
import { codeOf, keysOf } from '../../../functions-devkit/test/support/schemes.ts'

const secret = 'whsec_a-text-that-is-no-base64'
const nowMs = Date.UTC(2026, 10, 24, 8)
const seconds = String(nowMs / 1000)
const body = Buffer.from('{"type":"a"}')
const sign = (timestamp = seconds, key = secret, over: Buffer = body) => createHmac('sha256', key).update(`${timestamp}.`).update(over).digest('hex')

describe.each<[name: string, scheme: Scheme<Buffer>, header: string]>([
  ['stripe', stripe, 'stripe-signature'],
  ['digitalocean', digitalocean, 'do-signature'],
])('%s', (_name, scheme, header) => {
  const keys = keysOf(scheme, secret)
  const fault = (value: string | undefined, { over = body, held = keys } = {}) =>
    codeOf(() => scheme.verify({ headers: value === undefined ? {} : { [header]: value }, body: over }, { keys: held, now: () => nowMs }))

  it('accepts a signature over time stamp and body, keyed with the text of the secret', () => {
    expect(fault(`t=${seconds},v1=${sign()}`)).toBe('accepted')
    expect(fault(`v1=${sign()},t=${seconds}`)).toBe('accepted')
    expect(fault(`t=${seconds},v1=${sign(seconds, 'a-text-that-is-no-base64')}`)).toBe('signature-mismatch')
  })

  it('accepts any v1 with any key, and skips versions that it does not know', () => {
    const wrong = 'a'.repeat(64)
    expect(fault(`t=${seconds},v0=${wrong},v1=${wrong},v1=${sign()},v2=xyz`)).toBe('accepted')
    expect(fault(`t=${seconds},v1=tooshort,v1=${sign()}`)).toBe('accepted')
    expect(fault(`t=${seconds},v1=${sign()}`, { held: [...keysOf(scheme, 'another-secret-text'), ...keys] })).toBe('accepted')
    expect(fault(`t=${seconds},v1=${wrong}`)).toBe('signature-mismatch')
  })

  it.each([
    ['nothing', undefined, 'signature-missing'],
    ['an empty header', '', 'signature-missing'],
    ['only a time stamp', `t=${seconds}`, 'signature-missing'],
    ['only other versions', `t=${seconds},v0=${sign()}`, 'signature-version'],
    ['no time stamp', `v1=${sign()}`, 'timestamp-missing'],
    ['an empty time stamp', `t=,v1=${sign('')}`, 'timestamp-missing'],
    ['two time stamps', `t=${seconds},t=${seconds},v1=${sign()}`, 'timestamp-repeated'],
    ['a header that came twice', `t=${seconds},v1=${sign()}, t=${seconds},v1=${sign()}`, 'timestamp-repeated'],
    ['blanks between the parts', `t=${seconds}, v1=${sign()}`, 'signature-malformed'],
    ['a part without a name', `t=${seconds},v1=${sign()},rest`, 'signature-malformed'],
    ['an empty signature beside a good one', `t=${seconds},v1=,v1=${sign()}`, 'signature-malformed'],
    ['a truncated signature', `t=${seconds},v1=${sign().slice(1)}`, 'signature-malformed'],
    ['a longer signature', `t=${seconds},v1=${sign()}00`, 'signature-malformed'],
    ['upper case', `t=${seconds},v1=${sign().toUpperCase()}`, 'signature-malformed'],
    ['seventeen signatures', `t=${seconds}${`,v1=${sign()}`.repeat(17)}`, 'signature-malformed'],
    ['a signature of another time', `t=${seconds},v1=${sign(String(Number(seconds) - 1))}`, 'signature-mismatch'],
    ['a signature of another body', `t=${seconds},v1=${sign(seconds, secret, Buffer.from('{}'))}`, 'signature-mismatch'],
  ])('refuses %s', (_what, value, code) => {
    expect(fault(value)).toBe(code)
  })

  it.each(['123abc', '1e9', '-1', '1.5', '01614265330', '+1', `${seconds}0000000`])(
    'refuses %j as a time stamp, however well it is signed',
    timestamp => {
      expect(fault(`t=${timestamp},v1=${sign(timestamp)}`)).toBe('timestamp-malformed')
    },
  )

  it.each([
    [-301, 'timestamp-too-old'],
    [-300, 'accepted'],
    [300, 'accepted'],
    [301, 'timestamp-too-new'],
  ])('answers a signature made %i s from now with %s', (offset, outcome) => {
    const timestamp = String(Number(seconds) + offset)
    expect(fault(`t=${timestamp},v1=${sign(timestamp)}`)).toBe(outcome)
    expect(fault(`t=${timestamp},v1=${'0'.repeat(64)}`)).toBe('signature-mismatch')
  })
})

describe('the time stamp of DigitalOcean', () => {
  const keys = keysOf(digitalocean, secret)
  const fault = (timestamp: string, now = nowMs) =>
    codeOf(() => digitalocean.verify({ headers: { 'do-signature': `t=${timestamp},v1=${sign(timestamp)}` }, body }, { keys, now: () => now }))

  it.each([
    [0, 'accepted'],
    [-300_001, 'timestamp-too-old'],
    [300_001, 'timestamp-too-new'],
  ])('is read as milliseconds from twelve digits on: %i ms from now is %s', (offset, outcome) => {
    expect(fault(String(nowMs + offset))).toBe(outcome)
  })

  it('is seconds up to eleven digits', () => {
    expect(fault('99999999999')).toBe('timestamp-too-new')
    expect(fault('99999999999', 99_999_999_999_000)).toBe('accepted')
    expect(fault('100000000000', 100_000_000_000)).toBe('accepted')
  })
})

it('Stripe sends no milliseconds', () => {
  const headers = { 'stripe-signature': `t=${nowMs},v1=${sign(String(nowMs))}` }
  expect(codeOf(() => stripe.verify({ headers, body }, { keys: keysOf(stripe, secret), now: () => nowMs }))).toBe('timestamp-malformed')
})
