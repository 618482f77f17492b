import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formField } from '../src/inbox/form-field.ts'
import { checkHeaderId, readEvent } from '../src/inbox/read-event.ts'
import { atPointer, type Place } from '../src/verify/place.ts'
import { bodyDigest } from '../src/verify/source.ts'
import { codeOf } from '../../functions-devkit/test/support/schemes.ts'

const json = { 'content-type': 'application/json' }
const source = {
  name: 's',
  eventId: { pointer: '/id' } as Place | 'body',
  type: { pointer: '/type' } as Place,
  data: '/data',
  formField: undefined as string | undefined,
}
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
    ['none', {}],
    ['an empty one', { id: '' }],
    ['null', { id: null }],
    ['one elsewhere', { data: { id: 'evt_1' } }],
  ])('is refused with %s for an id', (_what, body) => {
    expect(codeOf(() => read({ ...body, type: 't' }))).toBe('event-id-missing')
  })

  it('is refused without the header of its id', () => {
    expect(codeOf(() => read({ type: 't' }, { eventId: { header: 'x-id' } }))).toBe('event-id-missing')
    expect(codeOf(() => read({ type: 't' }, { eventId: { header: 'x-id' } }, { 'x-id': '' }))).toBe('event-id-missing')
  })

  it.each([
    ['an object', '{}', /neither text nor a number/],
    ['an array', '["evt_1"]', /neither text nor a number/],
    ['true', 'true', /neither text nor a number/],
    ['one that is too long', JSON.stringify('x'.repeat(256)), /longer than 255/],
    ['one with NUL', '"a\\u0000b"', /NUL/],
    ['a lone surrogate', '"a\\ud800"', /surrogate/],
    ['a fraction', '1.5', /exactly/],
    ['a tiny fraction', '1e-400', /exactly/],
    ['a fraction that rounds to a whole number', '1.00000000000000000001', /exactly/],
    ['a fraction just below 2^53', '9007199254740990.9999999', /exactly/],
    ['a number beyond 2^53', '9007199254740993', /exactly/],
    ['a number beyond 2^53 in powers', '9.007199254740993e15', /exactly/],
    ['a number of twenty digits', '12345678901234567890', /exactly/],
    ['a number below -2^53', '-9007199254740993', /exactly/],
    ['an infinite number', '1e999', /exactly/],
  ])('says what is wrong with %s for an id', (_what, id, reason) => {
    const error: unknown = expect.objectContaining({ code: 'event-id-invalid', status: 422, message: expect.stringMatching(reason) as string })
    expect(() => read(`{"type":"t","id":${id}}`)).toThrow(error)
  })

  it.each([
    ['7', '7'],
    ['-7', '-7'],
    ['0', '0'],
    ['-0.0', '0'],
    ['1.0', '1'],
    ['12e2', '1200'],
    ['1200.00e0', '1200'],
    ['1.2E+3', '1200'],
    ['120000e-2', '1200'],
    ['9007199254740991', '9007199254740991'],
    ['"12345678901234567890"', '12345678901234567890'],
  ])('may have %s for an id', (written, id) => {
    expect(read(`{"type":"t","id":${written}}`).id).toBe(id)
    expect(read(`\ufeff{"type":"t","meta":[{"id":${written}}]}`, { eventId: { pointer: '/meta/0/id' } }).id).toBe(id)
  })

  it.each([undefined, null, '', 5, 'x'.repeat(256), 'a\0b', 'a\ud800'])('with %j for a type keeps its id and says where', type => {
    expect(read({ id: 'a', type })).toMatchObject({ id: 'a', type: undefined, fault: { code: 'content-invalid', issues: [{ path: '/type' }] } })
  })

  it('names the header in which a type is missing', () => {
    const changes = { type: { header: 'X-Type' } }
    expect(read({ id: 'a' }, changes)).toMatchObject({ fault: { issues: [{ path: 'x-type' }] } })
  })

  it.each([
    ['no JSON', '{', {}, 'json-unreadable'],
    ['another content type', '{"type":"t"}', { 'content-type': 'text/plain' }, 'content-type-unsupported'],
    ['no content type', '{"type":"t"}', { 'content-type': '' }, 'content-type-unsupported'],
    ['a form', 'payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' }, 'content-type-unsupported'],
  ])('with %s keeps an id that can be read', (_what, body, headers, code) => {
    expect(read(body, { eventId: { header: 'x-id' } }, { 'x-id': 'a', ...headers })).toMatchObject({ id: 'a', fault: { code } })
    expect(read(body, { eventId: 'body' }, headers)).toMatchObject({ id: bodyDigest('s', Buffer.from(body)), fault: { code } })
  })

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8;v=2',
    ' application/json ; charset="utf-8"',
    'text/json',
    'application/cloudevents+json',
    'application/cloudevents+json; charset=utf-8',
    'APPLICATION/PROBLEM+JSON',
    'application/vnd.github.v3+json',
    'application/vnd.a!b#c&d^e$f+g+json',
    'text/vnd.acme+json',
    'model/gltf+json',
  ])('is JSON with the content type %j', type => {
    expect(read({ id: 'a', type: 't' }, {}, { 'content-type': type })).toMatchObject({ id: 'a', type: 't', fault: undefined })
  })

  it.each([
    'application/jsonp',
    'application/json-seq',
    'application/x-ndjson',
    '+json',
    'application/+json',
    'application/ld+json2',
    'json',
    'text/plain; a/b+json',
  ])('is not JSON with the content type %j', type => {
    expect(read({ id: 'a', type: 't' }, {}, { 'content-type': type })).toMatchObject({ id: 'a', fault: { code: 'content-type-unsupported' } })
  })

  it('keeps an id in JSON although the content type says otherwise', () => {
    expect(read({ id: 'a', type: 't' }, {}, { 'content-type': 'text/plain' })).toMatchObject({ id: 'a', fault: { code: 'content-type-unsupported' } })
  })

  it('is refused when its id is in a body that cannot be read', () => {
    expect(codeOf(() => read('{'))).toBe('json-unreadable')
    expect(codeOf(() => read('a=1', {}, { 'content-type': 'application/x-www-form-urlencoded' }))).toBe('content-type-unsupported')
    expect(codeOf(() => read({}, {}, { 'content-type': 'text/plain' }))).toBe('content-type-unsupported')
  })
})

describe('a form with the event in one field', () => {
  const form = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' }
  const readForm = (body: string, changes: Partial<typeof source> = {}) => read(body, { formField: 'payload', ...changes }, form)
  const encoded = (body: unknown) => new URLSearchParams({ payload: JSON.stringify(body) }).toString()

  it.each([
    ['alone', encoded({ id: 'a', type: 't', data: { text: 'é & + % = 雪' } })],
    ['between others', `x=1&${encoded({ id: 'a', type: 't', data: { text: 'é & + % = 雪' } })}&payload=2&y`],
    ['with an encoded name', encoded({ id: 'a', type: 't', data: { text: 'é & + % = 雪' } }).replace('payload', '%70ayload')],
  ])('is read from its field %s', (_what, body) => {
    expect(readForm(body)).toMatchObject({ id: 'a', type: 't', data: { text: 'é & + % = 雪' }, fault: undefined })
  })

  it('is read as JSON where the content type says JSON', () => {
    expect(read({ id: 'a', type: 't' }, { formField: 'payload' })).toMatchObject({ id: 'a', type: 't', fault: undefined })
  })

  it('refuses a number for an id that cannot be read exactly', () => {
    expect(readForm('payload=%7B%22id%22%3A7%2C%22type%22%3A%22t%22%7D').id).toBe('7')
    expect(codeOf(() => readForm('payload=%7B%22id%22%3A9007199254740993%2C%22type%22%3A%22t%22%7D'))).toBe('event-id-invalid')
  })

  it.each([
    ['no such field', 'a=1'],
    ['nothing', ''],
    ['no JSON in the field', 'payload=%7B'],
    ['bytes that are no UTF-8', 'payload=%22%ff%22'],
    ['half an escape', 'payload=%7B%7'],
    ['JSON in place of a form', '{"id":"a","type":"t"}'],
  ])('is parked with %s', (_what, body) => {
    expect(readForm(body, { eventId: 'body' })).toMatchObject({ type: undefined, fault: { code: 'json-unreadable' } })
  })

  it('has an id of its own for each body where the source hashes it', () => {
    const body = encoded({ type: 't' })
    expect(readForm(body, { eventId: 'body' }).id).toBe(bodyDigest('s', Buffer.from(body)))
  })
})

describe('a field of a form', () => {
  it('is what URLSearchParams wrote', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))),
        fc.string({ unit: 'binary' }),
        (others, value) => {
          const entries: [string, string][] = [...others.filter(([name]) => name !== 'payload'), ['payload', value], ...others]
          const form = Buffer.from(new URLSearchParams(entries).toString())
          expect(formField(form, 'payload').toString()).toBe(value.toWellFormed())
        },
      ),
    )
  })

  it('is empty where the form has none', () => {
    expect(formField(Buffer.from('a=1&b&=payload'), 'payload')).toEqual(Buffer.alloc(0))
  })
})

describe('the id in a header', () => {
  const check = (id: string | undefined, eventId: Place | 'body' = { header: 'X-Id' }) =>
    codeOf(() => checkHeaderId({ eventId }, id === undefined ? {} : { 'x-id': id }))

  it.each(['a\0b', '\0', 'a\ud800', 'x'.repeat(256), 'x'.repeat(400)])('is refused as it came when it is %j', id => {
    expect(check(id)).toBe('event-id-invalid')
  })

  it('is refused under its second name too', () => {
    expect(codeOf(() => checkHeaderId({ eventId: { header: 'x-id', or: 'x-other' } }, { 'x-other': '\0' }))).toBe('event-id-invalid')
  })

  it('may be missing here, or stand elsewhere', () => {
    expect([check('evt_1'), check(undefined), check('\0', 'body'), check('\0', { pointer: '/id' })]).toEqual(Array(4).fill('accepted'))
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
