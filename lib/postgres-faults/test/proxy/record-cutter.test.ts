import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { settingsThrough } from '../../src/proxy/client.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { startRecordCutter, type RecordCutter } from '../../src/proxy/record-cutter.ts'
import { RecordSplitter } from '../../src/proxy/tls-records.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const record = (text: string) => Buffer.concat([Buffer.from([23, 3, 3, 0, text.length]), Buffer.from(text)])
const STARTUP = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])

describe('a record splitter', () => {
  test.each([1, 4, 7, 1000])('finds the same records in chunks of %i bytes', size => {
    const stream = Buffer.concat([SSL_REQUEST, record('one'), record(''), record('three')])
    const splitter = new RecordSplitter('client')
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) => stream.subarray(index * size, (index + 1) * size)).flatMap(
      chunk => splitter.split(chunk),
    )
    expect(pieces.map(({ isRecord, bytes }) => [isRecord, bytes.length])).toEqual([
      [false, 8],
      [true, 8],
      [true, 5],
      [true, 10],
    ])
  })

  test("takes a server's answer to the request apart from records", () => {
    const pieces = new RecordSplitter('server').split(Buffer.concat([Buffer.from('S'), record('one')]))
    expect(pieces.map(({ isRecord, bytes }) => [isRecord, bytes.length])).toEqual([
      [false, 1],
      [true, 8],
    ])
  })

  test('passes a client without TLS as it comes', () => {
    const splitter = new RecordSplitter('client')
    expect(splitter.split(STARTUP)).toEqual([{ isRecord: false, bytes: STARTUP }])
    expect(splitter.split(record('no record'))).toEqual([{ isRecord: false, bytes: record('no record') }])
  })
})

/** A server that keeps what it receives, and both ends of one connection through a cutter. */
async function setUp(): Promise<{ cutter: RecordCutter; client: Socket; accepted: Socket; received: { client: Buffer; server: Buffer } }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const listener = createServer({ allowHalfOpen: true }, resolve).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const cutter = await startRecordCutter({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port })
  const client = connect({ host: cutter.host, port: cutter.port, allowHalfOpen: true })
  const accepted = await promise
  const received = { client: Buffer.alloc(0), server: Buffer.alloc(0) }
  client.on('error', () => {}).on('data', (chunk: Buffer) => (received.client = Buffer.concat([received.client, chunk])))
  accepted.on('error', () => {}).on('data', (chunk: Buffer) => (received.server = Buffer.concat([received.server, chunk])))
  cleanUps.push(async () => {
    client.destroy()
    accepted.destroy()
    listener.close()
    await cutter.stop()
  })
  return { cutter, client, accepted, received }
}

describe('a record cutter', () => {
  test.each([
    ['the first bytes', 3, 3],
    ['nothing', 0, 0],
    ['all but the last byte', -1, 7],
  ])('passes %s of the record it cuts', async (_what, bytes, passed) => {
    const { cutter, client, accepted, received } = await setUp()
    const cut = cutter.addCut({ from: 'server', after: 1, bytes, manner: 'close' })
    const ended = once(client, 'end')
    accepted.write(Buffer.concat([record('one'), record('two'), record('three')]))
    await ended
    expect(cut.fired()).toBe(1)
    expect(received.client).toEqual(Buffer.concat([record('one'), record('two').subarray(0, passed)]))
  })

  test('cuts a record of the client on its way, and leaves answers that came before', async () => {
    const { cutter, client, accepted, received } = await setUp()
    const cut = cutter.addCut({ from: 'client', bytes: -2, manner: 'close' })
    accepted.write(record('answer'))
    await expect.poll(() => received.client.length).toBe(record('answer').length)
    client.write(Buffer.concat([SSL_REQUEST, record('question')]))
    await once(accepted, 'end')
    expect(received.server).toEqual(Buffer.concat([SSL_REQUEST, record('question').subarray(0, -2)]))
    expect(cut.fired()).toBe(1)
  })

  test('by reset ends the client with an RST and the server with a FIN', async () => {
    const { cutter, client, accepted } = await setUp()
    cutter.addCut({ from: 'server', bytes: 3, manner: 'reset' })
    const failed = once(client, 'error')
    const ended = once(accepted, 'end')
    accepted.write(record('one'))
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
    await ended
  })

  test('by silence passes nothing more, and no end', async () => {
    const { cutter, client, accepted, received } = await setUp()
    const cut = cutter.addCut({ from: 'server', bytes: 3, manner: 'silence' })
    accepted.end(record('one'))
    await cut.firstFired
    client.write(record('two'))
    await cutter.passed()
    expect({ client: received.client.length, server: received.server.length, ended: client.readableEnded }).toEqual({
      client: 3,
      server: 0,
      ended: false,
    })
  })

  test('takes back a cut that no record has met', async () => {
    const { cutter, client, accepted, received } = await setUp()
    cutter.addCut({ from: 'server', bytes: 0, manner: 'reset' }).remove()
    accepted.end(record('one'))
    await once(client, 'end')
    expect(received.client).toEqual(record('one'))
  })

  test('passes a whole session of pg through TLS, and cuts the answer to its statement', async () => {
    const proxy = await startProxy({ target: server })
    cleanUps.push(() => proxy.stop())
    const cutter = await startRecordCutter(proxy)
    cleanUps.push(() => cutter.stop())
    const client = new pg.Client({ ...settingsThrough(proxy, server), port: cutter.port })
    client.on('error', () => {})
    await client.connect()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    const cut = cutter.addCut({ from: 'server', bytes: -1, manner: 'close' })
    await expect(client.query('SELECT 2')).rejects.toThrow('Connection terminated unexpectedly')
    expect(cut.fired()).toBe(1)
    await expect.poll(() => proxy.counts().open).toBe(0)
  })
})
