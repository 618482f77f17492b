import { describe, expect, test } from 'vitest'
import { toHttpReply } from '../../../src/server/platform/response.ts'

function reply(result: unknown) {
  const { status, headers, body } = toHttpReply({ end: 'result', result }, 'request-1')
  return { status, headers, type: headers.find(([name]) => name === 'content-type')?.[1], text: body.toString() }
}

describe('the status', () => {
  test.each([
    [{ body: 'x' }, 200],
    [{}, 204],
    [undefined, 204],
    [{ foo: 1 }, 204],
    [{ statusCode: 201, body: 'x' }, 201],
    [{ statusCode: '404', body: 'x' }, 404],
    [{ statusCode: 201 }, 201],
    [{ statusCode: 200, body: '' }, 200],
  ])('of %j is %i', (result, status) => {
    expect(reply(result).status).toBe(status)
  })

  test.each([99, 101, 1000, 299, 200.5, 'abc', null, true])('is 400 when the function gives %j', statusCode => {
    expect(reply({ statusCode, body: 'x' }).status).toBe(400)
  })
})

describe('the body', () => {
  test('of an object is JSON', () => {
    expect(reply({ body: { a: 1 } })).toMatchObject({ status: 200, type: 'application/json', text: '{"a":1}' })
  })

  test.each([
    [[1, 2], '[1,2]'],
    [7, '7'],
    [false, 'false'],
  ])('%j is JSON too', (body, text) => {
    expect(reply({ body })).toMatchObject({ type: 'application/json', text })
  })

  test('keeps a JSON type that the function names', () => {
    expect(reply({ statusCode: 422, headers: { 'Content-Type': 'application/problem+json' }, body: { a: 1 } })).toMatchObject({
      status: 422,
      type: 'application/problem+json',
    })
  })

  test('of an object under a type that is not JSON is refused with 400', () => {
    expect(reply({ headers: { 'content-type': 'text/plain' }, body: { a: 1 } }).status).toBe(400)
  })

  test('of a text is HTML unless the function says otherwise', () => {
    expect(reply({ body: '<p>' }).type).toBe('text/html; charset=UTF-8')
    expect(reply({ headers: { 'content-type': 'text/plain' }, body: 'x' })).toMatchObject({ type: 'text/plain; charset=UTF-8', text: 'x' })
  })

  test('of a JSON text that looks like base64 is decoded, as old functions want it', () => {
    const headers = { 'content-type': 'application/json' }
    expect(reply({ headers, body: 'eyJhIjoxfQ==' }).text).toBe('{"a":1}')
    expect(reply({ headers, body: 'true' }).text).toBe(Buffer.from('true', 'base64').toString())
    expect(reply({ headers, body: '{"a":1}' }).text).toBe('{"a":1}')
  })

  test('of a binary type has to be base64', () => {
    const headers = { 'content-type': 'image/png' }
    expect(reply({ headers, body: 'aGk=' })).toMatchObject({ status: 200, text: 'hi' })
    expect(reply({ headers, body: 'not base64!' }).status).toBe(400)
  })

  test('goes without a content-type when it is empty', () => {
    expect(reply({ statusCode: 200, headers: { 'content-type': 'text/plain', 'x-a': '1' } })).toMatchObject({ headers: [['x-a', '1']], text: '' })
  })
})

describe('the headers', () => {
  test('can be numbers, booleans and lists', () => {
    const { headers } = reply({ headers: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Count': 3, 'x-flag': true } })
    expect(headers).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-count', '3'],
      ['x-flag', 'true'],
    ])
  })

  test.each([{ 'x-a': { b: 1 } }, { 'x-a': null }, { 'x-a': 'line\nbreak' }, { 'bad name': '1' }, 'text'])('%j are refused with 400', headers => {
    expect(reply({ headers, body: 'x' }).status).toBe(400)
  })

  test('cannot set the framing of the answer', () => {
    expect(reply({ headers: { 'content-length': '999', 'transfer-encoding': 'chunked' } }).headers).toEqual([])
  })
})

describe('an error', () => {
  test('under the key error is answered by its own rules', () => {
    expect(reply({ error: { statusCode: 418, body: 'tea' } })).toMatchObject({ status: 418, text: 'tea' })
  })

  test('that is a text is answered 400', () => {
    expect(reply({ error: 'broken' }).status).toBe(400)
  })

  test('that was thrown is answered like a value under error, and shows neither message nor stack', () => {
    const { status, body } = toHttpReply({ end: 'thrown', error: new Error('secret') }, 'r')
    expect({ status, body: body.toString() }).toEqual({ status: 204, body: '' })
  })

  test('that was thrown with a status and a body is answered with these', () => {
    expect(toHttpReply({ end: 'thrown', error: Object.assign(new Error('x'), { statusCode: 503, body: 'later' }) }, 'r').status).toBe(503)
    expect(toHttpReply({ end: 'thrown', error: 'text' }, 'r').status).toBe(400)
  })
})

describe('a result that the runtime refuses', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular

  test.each([
    ['a text', 'text'],
    ['a number', 7],
    ['a list', [1]],
    ['null', null],
    ['a circle', circular],
    ['a function', () => 1],
    ['more than 1 MB', { body: 'x'.repeat(1_048_576) }],
  ])('is answered 400 when it is %s', (_name, result) => {
    expect(reply(result)).toMatchObject({ status: 400, text: '{"code":"request-1","error":"There was an error processing your request."}' })
  })

  test('is answered 400 when the call overran its time', () => {
    expect(toHttpReply({ end: 'discarded', reason: 'exceeded its time limit' }, 'r').status).toBe(400)
  })
})

describe('what is wrong with an answer', () => {
  test.each([
    ['text', "returned 'text', which is no object"],
    [{ error: 'no' }, "returned an error in place of an answer: 'no'"],
    [{ statusCode: 99 }, 'returned a status that cannot be sent: 99'],
    [{ headers: { 'a b': 'c' } }, "returned headers that cannot be sent: { 'a b': 'c' }"],
    [{ headers: { 'content-type': 'text/plain' }, body: { a: 1 } }, 'returned a body that is not of its type, text/plain: { a: 1 }'],
  ])('of %j is told to its author', (result, mistake) => {
    expect(toHttpReply({ end: 'result', result }, 'request-1')).toMatchObject({ status: 400, mistake })
  })

  test('is nothing for an error on purpose', () => {
    expect(toHttpReply({ end: 'result', result: { error: { statusCode: 418, body: 'tea' } } }, 'request-1').mistake).toBeUndefined()
  })
})
