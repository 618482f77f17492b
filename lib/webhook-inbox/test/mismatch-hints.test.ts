import { describe, expect, it } from 'vitest'
import { signDelivery } from '../../functions-devkit/src/server/sign-delivery.ts'
import { defineSources } from '../src/verify/source-settings.ts'
import type { SourceDefinition } from '../src/verify/source.ts'
import { SignatureError } from '../src/verify/signature-error.ts'

const definition: SourceDefinition = { scheme: 'stripe', secrets: 'ONE' }
const secret = 'a-secret-for-the-hints'
const value = { type: 'é/ü', n: [1, 2, { a: 'b: c, d' }], text: '日本' }
const compact = JSON.stringify(value)

function hints(sent: string, received: string, { held = secret, signedWith = secret, headers = {}, sentAt = Date.now() } = {}) {
  const source = defineSources({ one: definition }, []).parse({ ONE: held }).value?.get('one')
  try {
    source?.verify({
      headers: { ...signDelivery(definition, { id: 'x', body: sent, sentAt, secret: signedWith }), ...headers },
      body: Buffer.from(received),
    })
  } catch (error) {
    if (error instanceof SignatureError) return [error.code, ...error.hints]
    throw error
  }
  return ['accepted']
}

describe('a signature that does not match', () => {
  it.each([
    ['pretty printed', JSON.stringify(value, undefined, 2)],
    ['with a line break at its end', `${compact}\n`],
    ['as Python writes it', String.raw`{"type": "\u00e9/\u00fc", "n": [1, 2, {"a": "b: c, d"}], "text": "\u65e5\u672c"}`],
    ['as PHP writes it', String.raw`{"type":"\u00e9\/\u00fc","n":[1,2,{"a":"b: c, d"}],"text":"\u65e5\u672c"}`],
  ])('is told to be of a body that was sent %s and written anew since, and is refused all the same', (_how, sent) => {
    expect(hints(sent, compact)).toEqual(['signature-mismatch', 'body-reserialised'])
    expect(hints(compact, sent)).toEqual(['signature-mismatch', 'body-reserialised'])
  })

  it('is told so for an old time stamp as well', () => {
    expect(hints(`${compact}\n`, compact, { sentAt: Date.now() - 3_600_000 })).toEqual(['signature-mismatch', 'body-reserialised'])
  })

  it.each([
    ['of another content', compact, '{"type":"x"}'],
    ['of no JSON', 'a', 'b'],
    [
      'longer than is tried',
      JSON.stringify({ ...value, long: 'x'.repeat(70_000) }, undefined, 2),
      JSON.stringify({ ...value, long: 'x'.repeat(70_000) }),
    ],
  ])('is explained by nothing when the body is %s', (_what, sent, received) => {
    expect(hints(sent, received)).toEqual(['signature-mismatch'])
  })

  it('is told to be of a body that is empty here', () => {
    expect(hints(compact, '')).toEqual(['signature-mismatch', 'body-empty'])
  })

  it('is told to be of a body of another length', () => {
    expect(hints(compact, '{"x":1}', { headers: { 'content-length': '99' } })).toEqual(['signature-mismatch', 'body-length-differs'])
    expect(hints(compact, '{"x":1}', { headers: { 'content-length': '7' } })).toEqual(['signature-mismatch'])
  })

  it.each([
    [` ${secret}`, 'secret-has-blanks'],
    [`${secret}\n`, 'secret-has-blanks'],
    [`"${secret}"`, 'secret-has-quotes'],
    [`'${secret}'`, 'secret-has-quotes'],
  ])('is told to be checked with a secret that stands in its variable as %j', (held, hint) => {
    expect(hints(compact, compact, { held, signedWith: held })).toEqual(hint === 'secret-has-quotes' ? ['accepted'] : ['signature-mismatch', hint])
    expect(hints(compact, compact, { held, signedWith: 'the-right-secret-was-another' })).toEqual(['signature-mismatch', hint])
  })
})
