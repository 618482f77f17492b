import { createHmac } from 'node:crypto'
import { verify as verifyGithub } from '@octokit/webhooks-methods'
import fc from 'fast-check'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as SvixWebhook } from 'svix'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { github } from '../src/verify/schemes/github.ts'
import { standard } from '../src/verify/schemes/standard.ts'
import { stripe } from '../src/verify/schemes/stripe.ts'
import { codeOf, keysOf } from '../../functions-devkit/test/support/schemes.ts'
import { compare, createTally, type Comparison } from '../../functions-devkit/test/support/verdicts.ts'
import { VERIFIER_RUNS } from '../../functions-devkit/test/support/verifier-runs.ts'

// A whole second: the official ones count in seconds, ours in ms.
const NOW = Date.UTC(2026, 10, 24, 8)
const SECONDS = NOW / 1000

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }))
afterEach(() => void vi.useRealTimers())

interface Sent {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

const accepts = (verify: () => unknown) => {
  try {
    verify()
    return true
  } catch {
    return false
  }
}

const plainText = (body: Buffer) => Buffer.from(new TextDecoder().decode(body)).equals(body)
const bodies = fc.oneof(
  { weight: 6, arbitrary: fc.json().map(text => Buffer.from(text)) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme' }).map(text => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)) },
)
// Mostly what is right, so that what is changed elsewhere decides.
const mostly = <Value>(right: Value, ...others: fc.Arbitrary<Value>[]) =>
  fc.oneof({ weight: 3 * others.length, arbitrary: fc.constant(right) }, ...others.map(arbitrary => ({ weight: 1, arbitrary })))
const timestamps = mostly(
  String(SECONDS),
  fc.integer({ min: -320, max: 320 }).map(offset => String(SECONDS + offset)),
  fc.constantFrom(-301, -300, 300, 301).map(offset => String(SECONDS + offset)),
  fc.constantFrom(`${SECONDS}abc`, `0${SECONDS}`, ` ${SECONDS}`, `+${SECONDS}`, `${SECONDS}.5`, 'abc', '', '-1', '1e9'),
)
// What the official ones sign is the number that they make of a time stamp.
const signedTimestamps = (text: string) => mostly(text, fc.constant(String(Number.parseInt(text, 10))))
const isPlainTimestamp = (text: string) => /^(0|[1-9]\d*)$/.test(text)

/** What a comparison has to show: one in which everything were refused, or excused, would show nothing. */
const TELLING = { accepted: true, refused: true, mostlyAgreed: true, neverNeeded: [] }

async function compareAll<Request>(requests: fc.Arbitrary<Request>, comparison: Comparison<Request>) {
  const tally = createTally()
  await fc.assert(
    fc.asyncProperty(requests, request => compare(request, comparison, tally)),
    { numRuns: VERIFIER_RUNS },
  )
  const listed = Object.keys({ ...comparison.stricter, ...comparison.beyondOfficial })
  return {
    accepted: tally.accepted > VERIFIER_RUNS / 10,
    refused: tally.refused > VERIFIER_RUNS / 10,
    mostlyAgreed: tally.accepted + tally.refused > VERIFIER_RUNS / 2,
    // A few requests do not meet every difference.
    neverNeeded: VERIFIER_RUNS < 2_000 ? [] : listed.filter(name => !tally.differing.has(name)),
  }
}

describe('Standard Webhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
  const keys = keysOf(standard, secret)
  const digestOf = (key: Buffer, ...parts: (string | Buffer)[]) => {
    const hash = createHmac('sha256', key)
    for (const part of parts) hash.update(part)
    return hash.digest('base64')
  }
  const sameAs = (good: string) => fc.constant(good)
  const entries = (good: string, other: string) =>
    fc.oneof(
      { weight: 5, arbitrary: sameAs(`v1,${good}`) },
      fc.constantFrom(
        `v1,${other}`,
        `v2,${good}`,
        `v1a,${good}`,
        'v1',
        'v1,',
        '',
        `v1,${good},x`,
        `v1,${good.replace(/=+$/, '')}`,
        `v1,${good.slice(4)}`,
        `v1,${good},`,
        `V1,${good}`,
        good,
        `v1,${good.replaceAll('+', '-').replaceAll('/', '_')}`,
      ),
    )
  const requestsOf = (families: fc.Arbitrary<readonly ('webhook' | 'svix')[]>): fc.Arbitrary<Sent> =>
    fc.record({ body: bodies, timestamp: timestamps, id: fc.string({ unit: 'grapheme-ascii', minLength: 1 }), families }).chain(one =>
      fc
        .record({
          signedAt: signedTimestamps(one.timestamp),
          signedBody: mostly(one.body, fc.constant(Buffer.from(one.body.toString())), fc.constant(Buffer.concat([one.body, Buffer.from(' ')]))),
          key: mostly(Buffer.alloc(32, 5), fc.constant(Buffer.alloc(32, 6))),
        })
        .chain(({ signedAt, signedBody, key }) => {
          const good = digestOf(key, `${one.id}.${signedAt}.`, signedBody)
          const list = fc.oneof(
            { weight: 19, arbitrary: fc.array(entries(good, digestOf(key, 'x')), { minLength: 1, maxLength: 4 }) },
            { weight: 1, arbitrary: fc.constant([...Array<string>(16).fill(`v1,${digestOf(key, 'x')}`), `v1,${good}`]) },
          )
          return fc
            .record({ list, left: mostly('', fc.constantFrom('id', 'timestamp', 'signature')), other: mostly('', fc.constant('other')) })
            .map(last => {
              const values = { id: one.id, timestamp: one.timestamp, signature: last.list.join(' ') }
              const headers: Record<string, string> = {}
              for (const [index, family] of one.families.entries()) {
                for (const [name, value] of Object.entries(values)) {
                  if (name !== last.left) headers[`${family}-${name}`] = index === 1 && name === 'id' && last.other ? last.other : value
                }
              }
              return { body: one.body, headers }
            })
        }),
    )
  const headerOf = ({ headers }: Sent, name: string) => headers[`svix-${name}`] ?? headers[`webhook-${name}`] ?? ''
  const comparison: Omit<Comparison<Sent>, 'official'> = {
    ours: request => codeOf(() => standard.verify(request, { keys })) === 'accepted',
    stricter: {
      'a time stamp that is not digits alone': request => !isPlainTimestamp(headerOf(request, 'timestamp')),
      'a part with more than one comma': request =>
        headerOf(request, 'signature')
          .split(' ')
          .some(part => part.split(',').length > 2),
      'more than sixteen signatures': request => headerOf(request, 'signature').split(' ').length > 16,
      'bytes that are no UTF-8, signed as what replaces them': ({ body }) => !plainText(body),
    },
    beyondOfficial: { 'bytes that are no UTF-8': ({ body }) => !plainText(body) },
  }

  it('is verified as standardwebhooks verifies it', async () => {
    const theirs = new StandardWebhook(secret)
    const official = ({ body, headers }: Sent) => accepts(() => theirs.verify(body, headers, { jsonParse: false }))
    expect(await compareAll(requestsOf(fc.constant(['webhook'])), { ...comparison, official })).toEqual(TELLING)
  })

  it('is verified as svix verifies it, under both names of the headers', async () => {
    const theirs = new SvixWebhook(secret)
    const official = ({ body, headers }: Sent) => accepts(() => theirs.verify(body, headers))
    expect(
      await compareAll(requestsOf(fc.constantFrom(['webhook'], ['svix'], ['svix', 'webhook'])), {
        ...comparison,
        stricter: {
          ...comparison.stricter,
          'two families of headers that differ': ({ headers }) =>
            headers['webhook-id'] !== headers['svix-id'] && 'svix-id' in headers && 'webhook-id' in headers,
        },
        official,
      }),
    ).toEqual(TELLING)
  })
})

describe('Stripe', () => {
  const secret = 'whsec_the-text-itself-is-the-key'
  const keys = keysOf(stripe, secret)
  const requests: fc.Arbitrary<Sent> = fc.record({ body: bodies, timestamp: timestamps }).chain(({ body, timestamp }) =>
    fc
      .record({
        signedAt: signedTimestamps(timestamp),
        signedBody: mostly(body, fc.constant(Buffer.from(new TextDecoder().decode(body))), fc.constant(Buffer.concat([body, Buffer.from(' ')]))),
        key: mostly(secret, fc.constantFrom('another', secret.slice('whsec_'.length))),
      })
      .chain(({ signedAt, signedBody, key }) => {
        const good = createHmac('sha256', key).update(`${signedAt}.`).update(signedBody).digest('hex')
        const part = fc.oneof(
          { weight: 6, arbitrary: fc.constant(`v1=${good}`) },
          fc.constantFrom(
            `v1=${'a'.repeat(64)}`,
            `v0=${good}`,
            `v2=${good}`,
            'v1=',
            'v1',
            `v1=${good}=x`,
            ` v1=${good}`,
            `v1=${good.toUpperCase()}`,
            `v1=${good.slice(1)}`,
          ),
        )
        const times = mostly([timestamp], fc.constantFrom([], [timestamp, timestamp], ['1', timestamp]))
        const many = mostly(0, fc.constant(17))
        return fc.record({ parts: fc.array(part, { minLength: 1, maxLength: 3 }), times, many }).map(last => {
          const signatures = last.many > 0 ? Array<string>(last.many).fill(`v1=${good}`) : last.parts
          return { body, headers: { 'stripe-signature': [...last.times.map(time => `t=${time}`), ...signatures].join(',') } }
        })
      }),
  )
  const header = ({ headers }: Sent) => headers['stripe-signature'] ?? ''
  const timesIn = (request: Sent) =>
    header(request)
      .split(',')
      .filter(part => part.startsWith('t='))
      .map(part => part.slice(2))

  it('is verified as its own library verifies it', async () => {
    expect(
      await compareAll(requests, {
        ours: request => codeOf(() => stripe.verify(request, { keys })) === 'accepted',
        official: ({ body, headers }) => accepts(() => Stripe.webhooks.signature?.verifyHeader(body, headers['stripe-signature'] ?? '', secret, 300)),
        stricter: {
          'a time stamp in the future': request => timesIn(request).some(time => Number.parseInt(time, 10) > SECONDS + 300),
          'a time stamp that is not digits alone': request => timesIn(request).some(time => !isPlainTimestamp(time)),
          'more than one time stamp': request => timesIn(request).length > 1,
          'blanks in the header': request => /\s/.test(header(request)),
          'a part that is no pair': request =>
            header(request)
              .split(',')
              .some(part => part.split('=').length !== 2),
          'more than sixteen signatures': request => header(request).split('v1=').length > 17,
          'bytes that are no UTF-8, signed as what replaces them': ({ body }) => !plainText(body),
        },
        beyondOfficial: { 'bytes that are no UTF-8': ({ body }) => !plainText(body) },
      }),
    ).toEqual(TELLING)
  })
})

describe('GitHub', () => {
  const secret = 'a secret with blanks, and ü'
  const keys = [Buffer.from(secret)]
  const requests: fc.Arbitrary<Sent> = bodies.chain(body =>
    fc
      .record({
        signedBody: mostly(body, fc.constant(Buffer.from(body.toString())), fc.constant(Buffer.concat([body, Buffer.from(' ')]))),
        key: mostly(secret, fc.constant('another')),
      })
      .chain(({ signedBody, key }) => {
        const good = createHmac('sha256', key).update(signedBody).digest('hex')
        const others = fc.constantFrom(
          good,
          `sha1=${good}`,
          `sha256=${good.toUpperCase()}`,
          `sha256=${good.slice(1)}`,
          `sha256=${good},sha256=${good}`,
          ` sha256=${good}`,
          '',
          'sha256=',
          `SHA256=${good}`,
          `sha256=${'a'.repeat(64)}`,
        )
        return mostly(`sha256=${good}`, others).map(signature => ({ body, headers: { 'x-hub-signature-256': signature } }))
      }),
  )

  it('is verified as its own library verifies it', async () => {
    expect(
      await compareAll(requests, {
        ours: request => codeOf(() => github.verify(request, { keys })) === 'accepted',
        official: ({ body, headers }) => verifyGithub(secret, body.toString(), headers['x-hub-signature-256'] ?? '').catch(() => false),
        stricter: { 'bytes that are no UTF-8, signed as what replaces them': ({ body }) => !plainText(body) },
        beyondOfficial: {
          'an empty body': ({ body }) => body.length === 0,
          'bytes that are no UTF-8': ({ body }) => !plainText(body),
        },
      }),
    ).toEqual(TELLING)
  })
})
