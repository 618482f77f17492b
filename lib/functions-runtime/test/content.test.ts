import { describe, expect, it } from 'vitest'
import { checkEncoding, encodingsOf } from '../src/content/content.ts'
import { readBody } from '../src/api/read-request.ts'
import { readWebRequest } from '../src/edge/event.ts'
import { admit } from '../../functions-devkit/src/server/platform/event.ts'
import * as z from 'zod/mini'

const refused: [header: string, names: string][] = [
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  [' br ', 'br'],
  ['gzip, br', 'gzip, br'],
  ['identity, deflate', 'deflate'],
  ['aws-chunked', 'aws-chunked'],
  ['x-"strange"', '(unreadable)'],
  ['x'.repeat(41), '(unreadable)'],
  ['gz ip', '(unreadable)'],
]
const accepted = [undefined, '', ' ', 'identity', 'Identity', 'IDENTITY, identity', ', ,']

describe('a content encoding', () => {
  it.each(refused)('refuses the content encoding %j by name', (header, names) => {
    const error: unknown = expect.objectContaining({
      code: 'content-encoding-unsupported',
      status: 415,
      message: expect.stringContaining(`encoding ${names} is`) as string,
      headers: { 'accept-encoding': 'identity' },
    })
    expect(() => checkEncoding(header)).toThrow(error)
  })

  it.each(accepted)('accepts the content encoding %j', header => {
    expect(encodingsOf(header)).toEqual([])
    expect(() => checkEncoding(header)).not.toThrow()
  })

  it.each(['Content-Encoding', 'content-encoding', 'CONTENT-ENCODING'])('reads the content encoding from the header %s', name => {
    const http = { method: 'POST', path: '/', headers: { 'content-type': 'application/json', [name]: 'gzip' }, body: '{}' }
    expect(() => readBody(readWebRequest(http, 'user'), z.object({}))).toThrow(
      expect.objectContaining({ code: 'content-encoding-unsupported' }) as Error,
    )
  })
})

describe('the local platform', () => {
  const request = (encoding: string, body = Buffer.from('{}')) => ({
    method: 'POST',
    path: '/',
    query: '',
    headers: { 'content-type': 'application/json', 'content-encoding': encoding },
    body,
  })

  it.each(refused)('refuses to parse a body encoded as %j', (header, names) => {
    expect(admit(request(header), 'parsed')).toEqual({ outcome: 'refused', status: 415, reason: `The content encoding ${names} is not supported.` })
  })

  it('hands an encoded body on in raw mode', () => {
    expect(admit(request('gzip'), 'raw')).toMatchObject({ outcome: 'admitted' })
  })

  it('parses a plain body, and an empty one under any encoding', () => {
    expect(admit(request('identity'), 'parsed')).toMatchObject({ outcome: 'admitted' })
    expect(admit(request('gzip', Buffer.alloc(0)), 'parsed')).toMatchObject({ outcome: 'admitted' })
  })
})
