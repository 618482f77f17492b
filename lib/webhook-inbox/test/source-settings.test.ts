import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../src/inbox/handler.ts'
import { signDelivery } from '../../functions-devkit/src/server/sign-delivery.ts'
import { isSampleSecret } from '../src/verify/sample-secrets.ts'
import { defineSources } from '../src/verify/source-settings.ts'
import { bodyDigest, type SourceDefinition } from '../src/verify/source.ts'
import { sourceTable } from '../../functions-devkit/test/application/lib/app/webhooks/sources.ts'
import { codeOf } from '../../functions-devkit/test/support/schemes.ts'

const one: SourceDefinition = { scheme: 'github', secrets: 'ONE' }
const two: SourceDefinition = { scheme: 'standard', secrets: 'TWO' }
const [first, second] = ['the-first-secret-of-all', 'the-second-secret-of-all']
const standardSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const body = '{"a":1}'

const handlers = [defineHandler({ type: 'a.b', schema: z.unknown(), needsDatabase: true, async apply() {} })]
const read = (environment: Record<string, string>, table: Record<string, SourceDefinition> = { one, two }) => {
  const { value, issues } = defineSources(table, handlers).parse(environment)
  return { sources: value, issues: issues?.map(({ variable, reason }) => `${variable} ${reason}`) }
}
const signed = (secret: string, definition = one, sentAt = Date.now()) => ({
  headers: signDelivery(definition, { id: 'evt_1', body, sentAt, secret }),
  body: Buffer.from(body),
})

describe('the secrets of a source', () => {
  it('may be several, apart by blanks, and each is good', () => {
    const source = read({ ONE: ` ${first}\n${second} ` }).sources?.get('one')
    expect([first, second, 'another-secret'].map(secret => codeOf(() => source?.verify(signed(secret))))).toEqual([
      'accepted',
      'accepted',
      'signature-mismatch',
    ])
  })

  it('are those of this source alone', () => {
    const { sources } = read({ ONE: first, THREE: second }, { one, three: { scheme: 'github', secrets: 'THREE' } })
    expect(codeOf(() => sources?.get('one')?.verify(signed(second)))).toBe('signature-mismatch')
    expect(codeOf(() => sources?.get('three')?.verify(signed(second)))).toBe('accepted')
  })

  it('turn it off when there are none: every delivery is refused', () => {
    const { sources } = read({ ONE: first, TWO: 'none' })
    expect(codeOf(() => sources?.get('two')?.verify(signed(standardSecret, two)))).toBe('secret-missing')
  })

  it('are missed when no source has any', () => {
    expect(read({ ONE: 'none' }).issues).toEqual([
      'ONE is missing, as the secrets of all sources are',
      'TWO is missing, as the secrets of all sources are',
    ])
  })

  it.each([
    ['short', 'ONE holds a secret shorter than 8 characters (blanks separate secrets)'],
    [`${first} word`, 'ONE holds a secret shorter than 8 characters (blanks separate secrets)'],
    ['changeme', 'ONE holds a sample that everybody may know'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'ONE holds a sample that everybody may know'],
    [`whpk_${Buffer.alloc(32, 1).toString('base64')}`, 'ONE holds a key of a pair (whpk_, whsk_), and this scheme shares a secret'],
  ])('are refused at the start as %j', (text, issue) => {
    expect(read({ ONE: text }).issues).toEqual([issue])
  })

  it('are refused all together, and never repeated', () => {
    const issues = read({ ONE: 'seven77', TWO: `${standardSecret} whsec_c2hvcnQ=` }).issues
    expect(issues).toEqual([
      'ONE holds a secret shorter than 8 characters (blanks separate secrets)',
      'TWO holds a whsec_ secret that is no base64 of 24 to 64 bytes',
    ])
  })

  it('are named as weak under twenty characters', () => {
    expect(read({ ONE: `${first} 1234567890123456789`, TWO: standardSecret }).sources?.weakSecrets).toEqual([{ source: 'one', variable: 'ONE' }])
    expect(read({ ONE: first, TWO: standardSecret }).sources?.weakSecrets).toEqual([])
  })
})

describe('samples of secrets', () => {
  it('are known in any letter case, with and without their prefix', () => {
    expect(['ChangeMe', 'WHSEC_TEST_SECRET', 'mfkq9r8gkyqrtwjupd8ilpzio2lalasw', first].map(isSampleSecret)).toEqual([true, true, true, false])
  })
})

describe('a source', () => {
  it('has what its scheme says, unless it says otherwise', () => {
    const table: Record<string, SourceDefinition> = {
      plain: { scheme: 'shopify', secrets: 'ONE' },
      own: {
        scheme: 'shopify',
        secrets: 'ONE',
        eventId: { header: 'x-shopify-event-id' },
        data: '/order',
        answerWithinMs: 4_000,
        replayGuard: 'body',
        commonHandlers: false,
      },
    }
    const { sources } = read({ ONE: first }, table)
    expect(sources?.get('plain')).toMatchObject({
      eventId: { header: 'x-shopify-webhook-id' },
      type: { header: 'x-shopify-topic' },
      data: '',
      answerWithinMs: undefined,
      replayGuard: undefined,
    })
    expect(sources?.get('plain')?.handlers.has('a.b')).toBe(true)
    expect(sources?.get('own')).toMatchObject({
      eventId: { header: 'x-shopify-event-id' },
      data: '/order',
      answerWithinMs: 4_000,
      replayGuard: 'body',
    })
    expect(sources?.get('own')?.handlers.size).toBe(0)
  })

  it('tolerates 300 s, or what it says', () => {
    const at = (seconds: number, definition: SourceDefinition) =>
      codeOf(() =>
        read({ TWO: standardSecret }, { two: definition })
          .sources?.get('two')
          ?.verify(signed(standardSecret, two, Date.now() - seconds * 1000)),
      )
    expect([at(290, two), at(302, two), at(55, { ...two, toleranceSeconds: 60 }), at(62, { ...two, toleranceSeconds: 60 })]).toEqual([
      'accepted',
      'timestamp-too-old',
      'accepted',
      'timestamp-too-old',
    ])
  })

  it.each([
    ['no name for a path', { 'a/b': one }],
    ['no tolerance', { one: { ...one, toleranceSeconds: 0 } }],
    ['no end of tolerance', { one: { ...one, toleranceSeconds: Number.POSITIVE_INFINITY } }],
    ['no place for its id', { one: { scheme: 'digitalocean', secrets: 'ONE', type: { pointer: '/type' } } as unknown as SourceDefinition }],
  ])('with %s is a mistake in the code', (_what, table) => {
    expect(() => defineSources(table as Record<string, SourceDefinition>, [])).toThrow(TypeError)
  })

  it('that ships answers in the time that its sender gives', () => {
    expect([sourceTable.shopify.answerWithinMs, sourceTable.github.answerWithinMs]).toEqual([4_000, 8_000])
  })
})

it('the digest of a body is that of its source', () => {
  const [bytes, other] = [Buffer.from('{}'), Buffer.from('{ }')]
  expect(bodyDigest('one', bytes)).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set([bodyDigest('one', bytes), bodyDigest('two', bytes), bodyDigest('one', other), bodyDigest('one', bytes)]).size).toBe(3)
})
