import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvent } from '../../../lib/webhooks/read-event.ts'
import { atPointer, type Place } from '../../../lib/webhooks/place.ts'
import { bodyDigest } from '../../../lib/webhooks/source.ts'
import { codeOf } from '../../support/schemes.ts'

const json = { 'content-type': 'application/json' }
const source = { name: 's', eventId: { pointer: '/id' } as Place | 'body', type: { pointer: '/type' } as Place, data: '/data' }
const read = (body: unknown, changes: Partial<typeof source> = {}, headers: Record<string, string> = {}) =>
  readEvent(
    { ...source, ...changes },
    { headers: { ...json, ...headers }, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
  )

describe('a delivery', () => {
  it('is read from body and headers, where its source has each', () => {
    expect(read({ id: 'evt_1', type: 'a.b', data: { x: 1 } })).toEqual({ id: 'evt_1', type: 'a.b', data: { x: 1 } })
    const changes = { eventId: { header: 'X-Id' }, type: { header: 'X-Type' }, data: '' }
    expect(read({ x: 1 }, changes, { 'x-id': 'evt_1', 'x-type': 'a.b' })).toEqual({ id: 'evt_1', type: 'a.b', data: { x: 1 } })
    expect(read({ meta: { 'a/b': [{ 'c~d': 7 }] }, type: 't' }, { eventId: { pointer: '/meta/a~1b/0/c~0d' } }).id).toBe('7')
  })

  it('has a hash of source and body as its id where the source says so', () => {
    expect(read('{"type":"t"}', { eventId: 'body' }).id).toBe(bodyDigest('s', Buffer.from('{"type":"t"}')))
  })

  it('may have a second name for the header of its id', () => {
    const changes = { eventId: { header: 'webhook-id', or: 'svix-id' } }
    expect(read({ type: 't' }, changes, { 'svix-id': 'a' }).id).toBe('a')
    expect(read({ type: 't' }, changes, { 'webhook-id': 'b', 'svix-id': 'a' }).id).toBe('b')
  })

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['null', null],
    ['an object', {}],
    ['a fraction', 1.5],
    ['a number beyond what is exact', 2 ** 53],
    ['one that is too long', 'x'.repeat(256)],
    ['one with NUL', 'a\0b'],
    ['a lone surrogate', 'a\ud800'],
  ])('is refused with %s for an id', (_what, id) => {
    expect(codeOf(() => read({ id, type: 't' }))).toBe('event-id-missing')
  })

  it('is refused without the header of its id', () => {
    expect(codeOf(() => read({ type: 't' }, { eventId: { header: 'x-id' } }))).toBe('event-id-missing')
    expect(codeOf(() => read({ type: 't' }, { eventId: { header: 'x-id' } }, { 'x-id': '' }))).toBe('event-id-missing')
  })

  it.each([undefined, '', 5, 'x'.repeat(256)])('is refused with %j for a type, and told where', type => {
    expect(codeOf(() => read({ id: 'a', type }))).toBe('content-invalid')
    expect(() => read({ id: 'a', type })).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: '/type' })] }) as Error)
  })

  it('is refused when it is no JSON or says that it is none', () => {
    expect(codeOf(() => read('{'))).toBe('json-unreadable')
    expect(codeOf(() => read({}, {}, { 'content-type': 'application/x-www-form-urlencoded' }))).toBe('content-type-unsupported')
  })
})

describe('a JSON pointer', () => {
  it('finds own members only', () => {
    expect(['/constructor', '/__proto__', '/a/length', '/b'].map(pointer => atPointer({ a: 'text' }, pointer))).toEqual(Array(4).fill(undefined))
  })

  it('finds every value of a document by its path', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.jsonValue(), (path, value) => {
        const document = path.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value)
        expect(atPointer(document, path.map(key => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))).toEqual(value)
      }),
    )
  })
})
