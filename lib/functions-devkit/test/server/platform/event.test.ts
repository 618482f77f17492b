import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, type IncomingRequest } from '../../../src/server/platform/event.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

function request(changes: Partial<Omit<IncomingRequest, 'body'>> & { body?: string | Buffer } = {}): IncomingRequest {
  const { body = '', ...rest } = changes
  return { method: 'POST', path: '/demo', query: '', headers: {}, ...rest, body: Buffer.from(body) }
}

function eventOf(changes: Parameters<typeof request>[0], mode: 'raw' | 'parsed') {
  const admission = admit(request(changes), mode)
  if (admission.outcome === 'refused') throw new Error(`refused with ${admission.status}`)
  return admission.event as Record<string, unknown> & { http: Record<string, unknown> }
}

const statusOf = (changes: Parameters<typeof request>[0], mode: 'raw' | 'parsed') => {
  const admission = admit(request(changes), mode)
  return admission.outcome === 'refused' ? admission.status : 'admitted'
}

describe('an event in raw mode', () => {
  test('holds method, path, headers and query as they came', () => {
    const { http } = eventOf({ method: 'PUT', path: '/a%20b', query: 'x=1&x=2', headers: { host: 'local' } }, 'raw')
    expect(http).toEqual({ method: 'PUT', path: '/a%20b', headers: { host: 'local' }, queryString: 'x=1&x=2', body: '', isBase64Encoded: false })
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'image/png',
    'application/octet-stream',
    'multipart/form-data; boundary=x',
    undefined,
  ])('carries a body of type %s as base64', type => {
    const { http } = eventOf({ headers: type === undefined ? {} : { 'content-type': type }, body: '{"a":1}' }, 'raw')
    expect(http).toMatchObject({ body: Buffer.from('{"a":1}').toString('base64'), isBase64Encoded: true })
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'application/atom+xml',
    'application/cloudevents+json',
    'application/custom; charset=utf-8',
  ])('carries a body of type %s as text', type => {
    const { http } = eventOf({ headers: { 'content-type': type }, body: 'grüße' }, 'raw')
    expect(http).toMatchObject({ body: 'grüße', isBase64Encoded: false })
  })

  test('does not read the body: broken JSON reaches the function', () => {
    expect(statusOf({ headers: JSON_TYPE, body: '{' }, 'raw')).toBe('admitted')
  })

  test('keeps every byte of a JSON body', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const { http } = eventOf({ headers: JSON_TYPE, body: Buffer.from(bytes) }, 'raw')
        const read = Buffer.from(http.body as string, http.isBase64Encoded === true ? 'base64' : 'utf8')
        expect(read).toEqual(Buffer.from(bytes))
      }),
    )
  })
})

describe('an event in parsed mode', () => {
  test('merges query and JSON body, the body last', () => {
    const event = eventOf({ query: 'a=1&b=2&a=3', headers: JSON_TYPE, body: '{"b":true,"c":[1]}' }, 'parsed')
    expect(event).toEqual({ a: '3', b: true, c: [1], http: { method: 'POST', path: '/demo', headers: JSON_TYPE } })
  })

  test('merges the fields of a form', () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(eventOf({ headers, body: 'name=Ada+L&x=1&x=2' }, 'parsed')).toMatchObject({ name: 'Ada L', x: '2' })
  })

  test.each(['[1,2]', '"text"', 'null', '7'])('keeps the JSON body %s in one piece', body => {
    expect(eventOf({ headers: JSON_TYPE, body }, 'parsed').__ow_body).toEqual(JSON.parse(body))
  })

  test('keeps a text in one piece and bytes as base64', () => {
    expect(eventOf({ headers: { 'content-type': 'text/plain' }, body: 'hi' }, 'parsed').__ow_body).toBe('hi')
    expect(eventOf({ headers: { 'content-type': 'image/png' }, body: 'hi' }, 'parsed').__ow_body).toBe('aGk=')
  })

  test('lets no field of the body take the place of http', () => {
    expect(eventOf({ headers: JSON_TYPE, body: '{"http":"mine"}' }, 'parsed').http).toMatchObject({ method: 'POST' })
  })

  test('is refused with 400 for malformed JSON', () => {
    expect(statusOf({ headers: JSON_TYPE, body: '{"a":' }, 'parsed')).toBe(400)
  })

  test.each(['__ow_method', '__ow_body'])('is refused with 400 when the client brings %s', name => {
    expect(statusOf({ query: `${name}=x` }, 'parsed')).toBe(400)
    expect(statusOf({ headers: JSON_TYPE, body: JSON.stringify({ [name]: 'x' }) }, 'parsed')).toBe(400)
  })

  test('leaves the prototype alone when the body names __proto__', () => {
    const event = eventOf({ headers: JSON_TYPE, body: '{"__proto__":{"admin":true}}' }, 'parsed')
    expect((event as { admin?: boolean }).admin).toBeUndefined()
  })
})

describe('the input limit', () => {
  test('counts a body in its base64 form', () => {
    const bytes = 790_000
    expect(statusOf({ headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(bytes) }, 'raw')).toBe('admitted')
    expect(statusOf({ headers: JSON_TYPE, body: 'x'.repeat(bytes) }, 'raw')).toBe(413)
    expect(statusOf({ headers: JSON_TYPE, body: 'x'.repeat(780_000) }, 'raw')).toBe('admitted')
  })

  test('holds in parsed mode too', () => {
    expect(statusOf({ headers: JSON_TYPE, body: JSON.stringify({ a: 'x'.repeat(1_048_576) }) }, 'parsed')).toBe(413)
  })
})
