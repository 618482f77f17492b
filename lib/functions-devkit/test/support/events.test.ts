import { describe, expect, it } from 'vitest'
import { invokedEvent, scheduledEvent, webEvent } from './platform/events.ts'
import { webAnswer } from './platform/web-answer.ts'

describe('webEvent', () => {
  it('keeps a raw request apart in http, header names in lower case', () => {
    const event = webEvent({ method: 'POST', path: '/stripe', headers: { 'Content-Type': 'text/plain' }, query: { a: '1' }, body: 'hi' }, 'raw')
    expect(event).toEqual({
      http: { method: 'POST', path: '/stripe', headers: { 'content-type': 'text/plain' }, queryString: 'a=1', body: 'hi', isBase64Encoded: false },
    })
  })

  it('sends a raw body in either form, as both occur for JSON', () => {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' }
    expect(webEvent({ ...request, isBase64Encoded: false }, 'raw').http).toMatchObject({ body: '{"a":1}', isBase64Encoded: false })
    expect(webEvent({ ...request, isBase64Encoded: true }, 'raw').http).toMatchObject({ body: 'eyJhIjoxfQ==', isBase64Encoded: true })
  })

  it('merges query and body of a parsed request into the event', () => {
    const event = webEvent({ method: 'POST', path: '/1', headers: { 'content-type': 'application/json' }, query: 'a=1&b=2', body: '{"b":3}' }, true)
    expect(event).toEqual({ a: '1', b: 3, http: { method: 'POST', path: '/1', headers: { 'content-type': 'application/json' } } })
  })

  it('throws for a request that never reaches the function', () => {
    expect(() => webEvent({ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }, true)).toThrow(
      'The platform answers 400 itself',
    )
  })
})

describe('events without a web request', () => {
  it('carry their fields and no http', () => {
    expect(scheduledEvent({ task: 'ping' })).toEqual({ task: 'ping' })
    expect(scheduledEvent()).toEqual({})
    expect(invokedEvent({ at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })
})

describe('webAnswer', () => {
  const logs = { stdout: '', stderr: '' }

  it('shows a result as its client sees it', () => {
    const answer = webAnswer({ result: { statusCode: 201, headers: { 'X-Request-Id': 'r' }, body: { id: 1 } }, logs })
    expect(answer).toMatchObject({ status: 201, body: '{"id":1}' })
    expect(answer.headers.get('x-request-id')).toBe('r')
    expect(answer.headers.get('content-type')).toBe('application/json')
  })

  it('shows a container that was given up as an error', () => {
    expect(webAnswer({ result: undefined, logs, exited: { reason: 'time limit' } }).status).toBe(400)
  })
})
