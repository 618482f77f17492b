import { once } from 'node:events'
import { request, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { readBody } from '../../../functions-runtime/src/api/read-request.ts'
import { defineFunction } from '../../../functions-runtime/src/edge/define.ts'
import type { WebRequest } from '../../../functions-runtime/src/edge/event.ts'
import { json } from '../../../functions-runtime/src/edge/reply.ts'
import { problemReply } from '../../src/server/host/problem-reply.ts'
import { createHttpServer, type HttpOptions } from '../../src/server/http.ts'
import { createContext } from '../../src/server/platform/context.ts'
import { invoke, type Main } from '../../src/server/platform/invoke.ts'
import { type ServedFunction } from '../../src/server/served-function.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map(cleanUp => cleanUp()))
})

function served(name: string, web: boolean | 'raw', main: Main): ServedFunction {
  const description = { name, qualifiedName: `api/${name}`, web, timeoutMs: 5_000, memoryMb: 256 }
  return {
    ...description,
    prepare: () => true,
    pool: () => undefined,
    fewConnections: () => undefined,
    settingIssues: () => [],
    call(event) {
      const context = createContext({ ...description, apiHost: '' })
      return { context, ...invoke({ main, event, context, timeoutMs: 5_000, environment: {} }) }
    },
    shutdown: async () => {},
  }
}

const echo: Main = event => ({ body: event })

async function serve(
  functions: ServedFunction[] | undefined = [served('echo', 'raw', echo), served('parsed', true, echo), served('hidden', false, echo)],
  isEnding = () => false,
  options: Pick<HttpOptions, 'refusal'> = {},
) {
  const reports: string[] = []
  const byName = (name: string) => functions?.find(one => one.name === name)
  const server = createHttpServer({
    functions: () => (functions === undefined ? undefined : { byName }),
    report: message => reports.push(message),
    isEnding,
    ...options,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => new Promise(resolve => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  return {
    reports,
    send: (method: string, path: string, options: { headers?: Record<string, string | string[]>; body?: string | Buffer } = {}) =>
      send(port, method, path, options),
  }
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  json: () => Record<string, unknown>
}

function send(
  port: number,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string | string[]>; body?: string | Buffer },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as Record<string, unknown> }),
      )
    })
    sent.on('error', reject).end(body)
  })
}

describe('the local HTTP server', () => {
  test('finds the function by the first segment and hands over the rest', async () => {
    const { send } = await serve()
    const { http } = (await send('GET', '/echo/demo/x%20y?a=1&b=2')).json()
    expect(http).toMatchObject({ method: 'GET', path: '/demo/x%20y', queryString: 'a=1&b=2' })
    expect((await send('GET', '/echo')).json().http).toMatchObject({ path: '', queryString: '' })
  })

  test('joins a repeated header and writes names in lower case', async () => {
    const { send } = await serve()
    const { http } = (await send('GET', '/echo', { headers: { 'X-Many': ['a', 'b'] } })).json()
    expect((http as { headers: unknown }).headers).toMatchObject({ 'x-many': 'a, b' })
  })

  test('merges the fields of a parsed function', async () => {
    const { send } = await serve()
    const answer = await send('POST', '/parsed?a=1', { headers: { 'content-type': 'application/json' }, body: '{"b":2}' })
    expect(answer.json()).toMatchObject({ a: '1', b: 2 })
  })

  test.each(['/', '/nothing', '/hidden', '/hidden/x', '//echo'])('answers 404 for %s', async path => {
    const { send } = await serve()
    expect((await send('GET', path)).status).toBe(404)
  })

  test('answers 405 for a method that the platform does not know', async () => {
    const { send } = await serve()
    expect((await send('PROPFIND', '/echo')).status).toBe(405)
  })

  test('answers OPTIONS itself and lets every origin in', async () => {
    const { send } = await serve()
    const { status, headers, text } = await send('OPTIONS', '/echo', { headers: { 'access-control-request-headers': 'x-mine' } })
    expect({ status, text }).toEqual({ status: 200, text: '' })
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-headers': 'x-mine' })
  })

  test('adds CORS headers and the activation id to an answer, and keeps what the function set', async () => {
    const { send } = await serve([served('own', 'raw', () => ({ headers: { 'Access-Control-Allow-Origin': 'https://a.example' } }))])
    const { headers, status } = await send('GET', '/own')
    expect(status).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('https://a.example')
    expect(headers['x-openwhisk-activation-id']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('sends no body with the answer to HEAD', async () => {
    const { send } = await serve()
    expect(await send('HEAD', '/echo')).toMatchObject({ status: 200, text: '' })
  })

  test('answers 413 for a body that is too large, announced or not', async () => {
    const { send } = await serve()
    const body = Buffer.alloc(3_000_000)
    expect((await send('POST', '/echo', { headers: { 'content-length': String(body.length) }, body })).status).toBe(413)
    expect((await send('POST', '/echo', { headers: { 'transfer-encoding': 'chunked' }, body })).status).toBe(413)
  })

  test('answers 413 for a body that is too large once it is base64', async () => {
    const { send } = await serve()
    expect((await send('POST', '/echo', { body: Buffer.alloc(800_000) })).status).toBe(413)
  })

  test('tells the terminal, not the client, what a function threw', async () => {
    const { send, reports } = await serve([
      served('bad', 'raw', () => {
        throw new Error('secret')
      }),
    ])
    const { text } = await send('GET', '/bad')
    expect(text).not.toContain('secret')
    expect(reports).toEqual(['api/bad threw'])
  })

  test('asks to come back while it is starting', async () => {
    const server = createHttpServer({ functions: () => undefined, report: () => {} })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUps.push(() => new Promise(resolve => server.close(resolve)))
    const answer = await send((server.address() as AddressInfo).port, 'GET', '/echo', {})
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  })
})

describe('what the server refuses by itself', () => {
  const body = Buffer.alloc(3_000_000)
  const refused: readonly [status: number, code: string, method: string, path: string, body?: Buffer][] = [
    [404, 'not-found', 'GET', '/nothing'],
    [404, 'not-found', 'GET', '/hidden'],
    [405, 'method-not-allowed', 'PROPFIND', '/echo'],
    [413, 'body-too-large', 'POST', '/echo', body],
    [413, 'body-too-large', 'POST', '/echo', body.subarray(0, 800_000)],
  ]

  test.each(refused)('is a problem document of the host: %i %s', async (status, code, method, path, sent = Buffer.alloc(0)) => {
    const { send } = await serve(undefined, undefined, { refusal: problemReply })
    const answer = await send(method, path, { headers: { 'x-request-id': 'mine-1' }, body: sent })
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'x-request-id': 'mine-1' })
    expect(answer.json()).toMatchObject({ type: 'about:blank', title: expect.any(String) as string, status, code, requestId: 'mine-1' })
    expect(answer.status).toBe(status)
  })

  test('repeats no request id that is not plain', async () => {
    const { send } = await serve(undefined, undefined, { refusal: problemReply })
    const answer = await send('GET', '/nothing', { headers: { 'x-request-id': 'a b' } })
    expect(answer.json().requestId).toMatch(/^[0-9a-f]{32}$/)
    expect(answer.headers['x-request-id']).toBe(answer.json().requestId)
  })

  test.each(refused)('has the form of the platform without one: %i', async (status, _code, method, path, sent = Buffer.alloc(0)) => {
    const { send } = await serve()
    const answer = await send(method, path, { body: sent })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json'])
    expect(Object.keys(answer.json()).sort()).toEqual(['code', 'error'])
  })
})

describe('a server that is about to end', () => {
  test('says so to whoever asks whether it is ready, however the path is written', async () => {
    const { send: ask } = await serve([served('health', 'raw', () => ({ statusCode: 200, body: { status: 'pass' } }))], () => true)
    for (const path of ['/health/ready', '/health/ready/', '/health/ready?verbose=1']) {
      const { status, json } = await ask('GET', path)
      expect({ path, status, body: json() }).toEqual({ path, status: 503, body: { status: 'fail' } })
    }
    expect((await ask('GET', '/health')).status).toBe(200)
  })
})

describe('a content encoding over HTTP', () => {
  const definition = {
    name: 'api/reads',
    settings: {},
    setup: () => ({}),
    routes: { 'POST /': (request: WebRequest) => json(200, { read: readBody(request, z.object({ a: z.number() })) }) },
  }
  const main = defineFunction(definition, { output: { write: () => undefined } }) as unknown as Main
  const encoded = (headers: Record<string, string | string[]>) => ({ headers: { 'content-type': 'application/json', ...headers }, body: '{"a":1}' })

  test.each<[string | string[], string]>([
    ['gzip', 'gzip'],
    ['BR', 'br'],
    [['gzip', 'deflate'], 'gzip, deflate'],
    ['identity, zstd', 'zstd'],
  ])('refuses %j by name, raw and parsed', async (encoding, name) => {
    const { send } = await serve([served('raw', 'raw', main), served('parsed', true, echo)])
    for (const path of ['/raw', '/parsed']) {
      const answer = await send('POST', path, encoded({ 'content-encoding': encoding }))
      expect(answer.status).toBe(415)
      expect(answer.text).toContain(`encoding ${name} is not supported`)
    }
  })

  test.each(['identity', 'IDENTITY', ''])('reads a body encoded as %j', async encoding => {
    const { send } = await serve([served('raw', 'raw', main), served('parsed', true, echo)])
    expect((await send('POST', '/raw', encoded({ 'content-encoding': encoding }))).json()).toEqual({ read: { a: 1 } })
    expect((await send('POST', '/parsed', encoded({ 'content-encoding': encoding }))).json()).toMatchObject({ a: 1 })
  })
})
