import { once } from 'node:events'
import { type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type HttpLimits } from '../../src/settings/host.ts'
import { createHttpServer } from '../../src/server/http.ts'
import { type ServedFunction } from '../../src/server/served-function.ts'

const LIMITS: HttpLimits = { headersMs: 200, requestMs: 300, keepAliveMs: 60_000, maxConnections: 20, maxHeaderBytes: 2_048 }

let server: Server
let calls = 0
const clients: Socket[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
  server.closeAllConnections()
  server.close()
})

async function serve(limits: Partial<HttpLimits> = {}): Promise<void> {
  calls = 0
  const echo = {
    name: 'echo',
    qualifiedName: 'api/echo',
    web: 'raw',
    timeoutMs: 1_000,
    memoryMb: 256,
    prepare: () => true,
    settingIssues: () => [],
    shutdown: async () => {},
    call: () => {
      calls += 1
      const ended = Promise.resolve({ end: 'result', result: { body: 'here' } } as const)
      return { context: { activationId: 'a' }, ended, settled: ended.then(() => undefined) }
    },
  } as unknown as ServedFunction
  server = createHttpServer({
    functions: () => ({ byName: name => (name === 'echo' ? echo : undefined) }),
    report: message => console.error(message),
    limits: { ...LIMITS, ...limits },
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
}

/** A client that says what it is told to, byte by byte if need be, and gathers what it hears until it is hung up on. */
function client(): { socket: Socket; heard: Promise<string> } {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  clients.push(socket)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => undefined)
  // `once` of events would reject when the connection is reset.
  return { socket, heard: new Promise(resolve => socket.once('close', () => resolve(text))) }
}

/** Sends a little again and again, as somebody who means to hold the connection. */
function drip(socket: Socket, piece: string): void {
  const timer = setInterval(() => socket.write(piece), 20)
  socket.once('close', () => clearInterval(timer))
}

const isServed = async () => {
  const { socket, heard } = client()
  socket.end('GET /echo HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')
  return (await heard).startsWith('HTTP/1.1 200')
}

describe('a client', () => {
  test('that never comes to the end of its headers is hung up on, and no function is called', async () => {
    await serve()
    const { socket, heard } = client()
    socket.write('GET /echo HTTP/1.1\r\nhost: here\r\n')
    drip(socket, 'x-more: 1\r\n')
    expect(await heard).toMatch(/^HTTP\/1\.1 408 /)
    expect(calls).toBe(0)
  })

  test('that says nothing at all is hung up on', async () => {
    await serve()
    expect(await client().heard).toMatch(/^HTTP\/1\.1 408 |^$/)
  })

  test('that never comes to the end of its body is hung up on, and no function is called', async () => {
    await serve()
    const { socket, heard } = client()
    socket.write('POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 100000\r\n\r\n')
    drip(socket, 'a')
    await heard
    expect(calls).toBe(0)
    expect(await isServed()).toBe(true)
  })

  test('that is one of a crowd of slow ones does not keep others out for longer than they may take', async () => {
    await serve()
    const crowd = Array.from({ length: LIMITS.maxConnections }, () => client())
    await Promise.all(crowd.map(({ socket }) => once(socket, 'connect')))
    for (const { socket } of crowd) socket.write('GET /echo HTTP/1.1\r\n')
    await Promise.all(crowd.map(({ heard }) => heard))
    expect(await isServed()).toBe(true)
  })

  test('that comes on top of the most connections is hung up on, and those that are there stay', async () => {
    await serve({ maxConnections: 3, headersMs: 60_000, requestMs: 60_000 })
    const inside = Array.from({ length: 3 }, () => client())
    await Promise.all(inside.map(({ socket }) => once(socket, 'connect')))
    let dropped = 0
    server.on('drop', () => (dropped += 1))
    expect(await client().heard).toBe('')
    expect(dropped).toBe(1)
    const [first] = inside
    first?.socket.end('GET /echo HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')
    expect(await first?.heard).toMatch(/^HTTP\/1\.1 200 /)
    // One has left: there is room again.
    expect(await isServed()).toBe(true)
  })

  test('whose headers are too large is answered 431', async () => {
    await serve()
    const { socket, heard } = client()
    socket.write(`GET /echo HTTP/1.1\r\nhost: here\r\nx-large: ${'a'.repeat(LIMITS.maxHeaderBytes)}\r\n\r\n`)
    expect(await heard).toMatch(/^HTTP\/1\.1 431 /)
    expect(calls).toBe(0)
  })

  test.each([
    ['says so beforehand', `content-length: ${2 * 1024 * 1024}\r\n\r\n`, ''],
    ['does not', 'transfer-encoding: chunked\r\n\r\n', `${(64 * 1024).toString(16)}\r\n${'a'.repeat(64 * 1024)}\r\n`],
  ])('whose body is too large, and who %s, is answered 413 and let go', async (_who, header, piece) => {
    await serve({ requestMs: 5_000 })
    const { socket, heard } = client()
    socket.write(`POST /echo HTTP/1.1\r\nhost: here\r\n${header}`)
    for (let count = 0; piece !== '' && count < 17; count += 1) socket.write(piece)
    while (socket.bytesRead === 0) await new Promise(resolve => setTimeout(resolve, 5))
    socket.end()
    expect(await heard).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i)
    expect(calls).toBe(0)
  })

  test('may use a connection again and again, with pauses between', async () => {
    await serve()
    const { socket } = client()
    let text = ''
    socket.on('data', (chunk: string) => (text += chunk))
    for (let count = 1; count <= 3; count += 1) {
      socket.write('GET /echo HTTP/1.1\r\nhost: here\r\n\r\n')
      while (text.split('HTTP/1.1 200').length <= count) await new Promise(resolve => setTimeout(resolve, 5))
      // Longer than the headers of a request may take: waiting for the next one is no dawdling.
      await new Promise(resolve => setTimeout(resolve, LIMITS.headersMs * 2))
    }
    expect(calls).toBe(3)
    expect(socket.destroyed).toBe(false)
  })
})
