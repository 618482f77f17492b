import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { toHttpReply, type CallEnd } from '../../../src/server/platform/response.ts'
import { run, useContainers } from '../../support/containers/bench.ts'
import { startContainer as startModel, stopContainers } from '../../support/platform/container.ts'
import { type RuntimeKind } from '../../support/platform/protocol.ts'
import { webEvent } from '../../support/platform/events.ts'
import { zipFiles } from '../../support/platform/zip-files.ts'

// The same calls of the same function, in a container of `npm start` and in the model of the public runtimes.

const bench = useContainers()
afterEach(stopContainers)

type Event = Record<string, unknown>

interface Conditions {
  readonly timeoutMs?: number
  /** Which of the public runtimes are to do the same. Default: both. */
  readonly runtimes?: readonly RuntimeKind[]
  /** Done while the container is paused after each call. */
  readonly meanwhile?: () => Promise<void>
}

type Surroundings = Required<Omit<Conditions, 'runtimes'>>

/** What a client gets of one call, and what the log has of it. */
interface Seen {
  readonly status: number
  readonly body: string
  readonly discarded: boolean
  readonly stdout: string[]
  readonly stderr: string[]
}

// Where a stack leads depends on the folder.
const plain = (text: string) => text.replaceAll(/\/\S*\/dist\/index\.js/g, 'index.js')

function seen(end: CallEnd, { stdout, stderr }: { stdout: string[]; stderr: string[] }): Seen {
  const { status, body } = toHttpReply(end, 'activation')
  return { status, body: body.toString(), discarded: end.end === 'discarded', stdout, stderr: stderr.map(plain) }
}

const linesOf = (text: string) => text.split('\n').slice(0, -1)

async function inModel(runtime: RuntimeKind, source: string, events: readonly Event[], { timeoutMs, meanwhile }: Surroundings): Promise<Seen[]> {
  const zip = zipFiles({ 'package.json': '{"main":"dist/index.js","type":"commonjs"}', 'dist/index.js': source })
  const container = await startModel({ zip, runtime, limits: { timeout: timeoutMs }, environment: { GREETING: 'hello' } })
  const calls: Seen[] = []
  for (const event of events) {
    const { exited, result, logs } = await container.run(event)
    const end: CallEnd = exited === undefined ? { end: 'result', result } : { end: 'discarded', reason: exited.reason }
    calls.push(seen(end, { stdout: linesOf(logs.stdout), stderr: linesOf(logs.stderr) }))
    container.pause()
    await meanwhile()
  }
  return calls
}

async function inContainer(source: string, events: readonly Event[], { timeoutMs, meanwhile }: Surroundings): Promise<Seen[]> {
  const container = await bench.start(source, { timeoutMs, environment: { GREETING: 'hello' } })
  const calls: Seen[] = []
  for (const event of events) {
    const end = await run(container, event)
    const printed = bench.lines.splice(0)
    const of = (stream: string) => printed.filter(one => one.stream === stream).map(({ line }) => line)
    calls.push(seen(end, { stdout: of('stdout'), stderr: of('stderr') }))
    container.pause()
    await meanwhile()
  }
  await container.destroy()
  return calls
}

async function both(
  source: string,
  events: readonly Event[],
  { timeoutMs = 10_000, meanwhile = async () => {}, runtimes = ['digitalocean', 'apache'] }: Conditions = {},
): Promise<Seen[]> {
  const given = await inContainer(source, events, { timeoutMs, meanwhile })
  for (const runtime of runtimes) expect(given).toEqual(await inModel(runtime, source, events, { timeoutMs, meanwhile }))
  return given
}

const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Ada","sign":"ö"}' }
const bytes = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: Uint8Array.of(0, 255, 10) }
const text = { method: 'PUT', path: '/a%20b', query: 'x=1&x=2', headers: { 'content-type': 'text/plain' }, body: 'plain' }
const ECHO = 'exports.main = event => ({ body: event })'

describe('a container and the public runtimes', () => {
  test('answer the cold call and warm ones alike', async () => {
    const [cold, warm] = await both('let calls = 0; exports.main = ({ n }) => ({ body: { n, calls: ++calls, greeting: process.env.GREETING } })', [
      { n: 1 },
      { n: 2 },
    ])
    expect([cold?.body, warm?.body]).toEqual(['{"n":1,"calls":1,"greeting":"hello"}', '{"n":2,"calls":2,"greeting":"hello"}'])
  })

  test('hand over bodies of both encodings alike', async () => {
    const calls = await both(ECHO, [
      ...[json, bytes, text].map(request => webEvent(request, 'raw')),
      webEvent({ ...json, isBase64Encoded: false }, 'raw'),
      webEvent(json, true),
    ])
    expect(calls.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(calls[0]?.body).toContain('"isBase64Encoded":true')
    expect(calls[3]?.body).toContain('"isBase64Encoded":false')
  })

  test.each([
    ['undefined', 'undefined'],
    ['an error', '{ error: { statusCode: 418, body: "tea" } }'],
    ['an error in words', '{ error: "no" }'],
    ['keys of its own', '{ foo: 1 }'],
    ['base64', '{ headers: { "content-type": "application/json" }, body: "eyJhIjoxfQ==" }'],
    ['too much', '{ body: "x".repeat(1024 * 1024) }'],
    ['what JSON cannot hold', '{ body: 1n }'],
  ])('answer a function that returns %s alike', async (_what, value) => {
    const calls = await both(`exports.main = () => (${value})`, [{}, {}])
    expect(calls.map(({ discarded }) => discarded)).toEqual([false, false])
  })

  test.each(['"text"', '5', 'true', 'null'])('discard a container that returns %s', async value => {
    const [call] = await both(`exports.main = () => (${value})`, [{}])
    expect(call).toMatchObject({ status: 400, discarded: true })
  })

  test('discard a container that returns a list, as one of them does', async () => {
    const [call] = await both('exports.main = () => [1]', [{}], { runtimes: ['digitalocean'] })
    expect(call).toMatchObject({ status: 400, discarded: true })
  })

  test('serialise what is thrown alike and keep the container', async () => {
    const [thrown, next] = await both(
      `exports.main = async ({ what }) => {
         if (what === 'error') throw Object.assign(new TypeError('broken'), { statusCode: 418, body: 'tea' })
         if (what === 'text') throw 'text'
         return { body: 'well' }
       }`,
      [{ what: 'error' }, { what: 'text' }, {}],
    )
    expect(thrown).toMatchObject({ status: 418, body: 'tea', discarded: false })
    expect(next?.status).toBe(400)
  })

  test('end a call at its time limit alike, with what it has printed', async () => {
    const [call] = await both('exports.main = () => { console.log("begun"); return new Promise(() => setInterval(() => {}, 1000)) }', [{}], {
      timeoutMs: 1_500,
    })
    expect(call).toMatchObject({ status: 400, discarded: true, stdout: ['begun'] })
  })

  test.each([
    ['exits', 'console.error("dying"); process.exit(3)'],
    ['is killed', 'process.kill(process.pid, "SIGKILL")'],
    ['throws in a callback', 'setImmediate(() => { throw new Error("lost") }); return new Promise(() => {})'],
  ])('lose the call of a process that %s', async (_what, code) => {
    const [call] = await both(`exports.main = () => { ${code} }`, [{}])
    expect(call).toMatchObject({ status: 400, discarded: true })
  })

  test('tell what is printed after a call as part of the next', async () => {
    const calls = await both(
      `console.log('loading')
       exports.main = ({ n }) => { console.log('out', n); console.error('err', n); process.nextTick(() => setImmediate(() => console.log('late', n))); return {} }`,
      [{ n: 1 }, { n: 2 }],
    )
    expect(calls[0]).toMatchObject({ stdout: ['loading', 'out 1'], stderr: ['err 1'] })
    expect(calls[1]?.stdout).toEqual(['late 1', 'out 2'])
  })

  test('keep state over a pause while the clock goes on', async () => {
    const pauseMs = 300
    const source = `let calls = 0, at = 0
      exports.main = () => { const before = at; at = Date.now(); return { body: { calls: ++calls, jumped: before > 0 && at - before >= ${pauseMs} } } }`
    const [, second] = await both(source, [{}, {}], {
      meanwhile: () => new Promise(resolve => setTimeout(resolve, pauseMs)),
    })
    expect(second?.body).toBe('{"calls":2,"jumped":true}')
  })

  test('find a socket dead that was closed during the pause', async () => {
    const sockets: Socket[] = []
    const server = createServer(socket => {
      sockets.push(socket.on('error', () => {}))
      socket.write('welcome')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const source = `const net = require('node:net'); let socket
      exports.main = async () => {
        if (socket !== undefined) {
          if (!socket.destroyed) await new Promise(resolve => socket.once('close', resolve))
          return { body: 'dead' }
        }
        socket = net.connect(${(server.address() as AddressInfo).port}, '127.0.0.1')
        await new Promise(resolve => socket.once('data', resolve))
        socket.resume()
        return { body: 'connected' }
      }`
    try {
      const calls = await both(source, [{}, {}], { meanwhile: async () => sockets.forEach(socket => void socket.end()) })
      expect(calls.map(({ body }) => body)).toEqual(['connected', 'dead'])
    } finally {
      server.close()
    }
  })
})
