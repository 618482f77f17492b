import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { makeCertificates } from '../../src/certificates.ts'
import { settingsThrough } from '../../src/proxy/client.ts'
import { startProxy, type Proxy, type ProxyOptions } from '../../src/proxy/proxy.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(options: Partial<ProxyOptions> = {}): Promise<Proxy> {
  const proxy = await startProxy({ target: server, ...options })
  cleanUps.push(() => proxy.stop())
  return proxy
}

function makeClient(proxy: Proxy, settings: pg.ClientConfig = {}): pg.Client {
  const client = new pg.Client({ ...settingsThrough(proxy, server), ...settings })
  client.on('error', () => {})
  // Only what is still connected can be ended; the proxy's end takes care of the rest.
  cleanUps.push(async () => client.connection.stream.destroy())
  return client
}

async function connected(proxy: Proxy, settings?: pg.ClientConfig): Promise<pg.Client> {
  return makeClient(proxy, settings).connect()
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** Everything that was on its way in this process has arrived: a session of its own has been asked something. */
const aWhile = () => withConnection(server, 'postgres', async client => void (await client.query('SELECT pg_sleep(0.05)')))

function openSocket(proxy: Proxy): Socket {
  const socket = connect({ host: proxy.host, port: proxy.port }).on('error', () => {})
  cleanUps.push(async () => socket.destroy())
  return socket
}

describe('a proxy', () => {
  test('passes a conversation on and lets the client verify it', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    expect((await client.query('SELECT $1::int + 1 AS sum', [41])).rows).toEqual([{ sum: 42 }])
    expect((client.connection.stream as unknown as { authorized: boolean }).authorized).toBe(true)
    await client.end()
  })

  test('leads new connections to another target and keeps open ones', async () => {
    const proxy = await start()
    const other = await start({ certificates: false })
    const client = await connected(proxy)
    proxy.retarget(other)
    await (await connected(proxy)).end()
    expect(other.counts().connections).toBe(1)
    await client.query('SELECT 1')
    await client.end()
    expect(other.counts().statements).toBe(0)
  })

  test('is refused by a client that trusts another authority', async () => {
    const proxy = await start()
    const { authority } = await makeCertificates()
    expect(await codeOf(connected(proxy, { ssl: { ca: authority } }))).toMatch(/CERT|SIGNATURE/)
  })

  test('tells a client that there is no TLS when it has none', async () => {
    const proxy = await start({ certificates: false })
    expect(await codeOf(connected(proxy, { ssl: true }))).toBe('The server does not support SSL connections')
    expect(await codeOf(connected(proxy))).toBe('no error')
  })

  test('ends direct TLS that does not name the protocol, as a server does', async () => {
    const { host, port, authority } = await start()
    const socket = connectSecurely({ host, port, ca: authority }).on('error', () => {})
    await once(socket, 'secureConnect')
    await new Promise(resolve => socket.on('close', resolve))
    expect(socket.alpnProtocol).toBe(false)
  })

  test('passes on what is larger than a chunk', async () => {
    const client = await connected(await start())
    const text = 'x'.repeat(3_000_000)
    expect((await client.query<{ text: string }>('SELECT $1::text AS text', [text])).rows[0]?.text.length).toBe(text.length)
  })

  test('passes on the cancelling of a statement', async () => {
    const proxy = await start()
    const client = await connected(proxy, { ssl: false })
    const slow = codeOf(client.query('SELECT pg_sleep(60)'))
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    // A cancel that comes before the statement is lost.
    const asleep = "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
    await withConnection(server, 'postgres', async other => {
      while ((await other.query(asleep, [processID])).rowCount === 0);
    })
    const request = Buffer.alloc(16)
    for (const [index, value] of [16, 80877102, processID, secretKey].entries()) request.writeInt32BE(value, index * 4)
    openSocket(proxy).write(request)
    expect(await slow).toBe('57014')
    expect(proxy.log()[1]?.flights).toEqual([[{ type: 'CancelRequest' }]])
  })

  test('speaks TLS with the server as well when told to', async () => {
    const proxy = await start({ target: { ...server, tls: { ca: server.authority } } })
    const client = await connected(proxy)
    expect((await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).rows).toEqual([{ ssl: true }])
  })

  test('cuts the client when the server cannot be reached', async () => {
    const proxy = await start({ target: { host: '127.0.0.1', port: 1 } })
    expect(await codeOf(connected(proxy))).toMatch(/ECONNRESET|Connection terminated unexpectedly/)
  })

  test('tells the client when the server ends its session', async () => {
    const client = await connected(await start())
    const ended = new Promise(resolve => client.once('end', resolve))
    expect(await codeOf(client.query('SELECT pg_terminate_backend(pg_backend_pid())'))).toBe('57P01')
    await ended
  })
})

describe('the counts', () => {
  test.each([
    ['SSLRequest', {}, 6],
    ['direct TLS', { sslnegotiation: 'direct' }, 5],
    ['no TLS', { ssl: false }, 4],
    ['TLS 1.2', { ssl: { rejectUnauthorized: false, maxVersion: 'TLSv1.2' } }, 7],
  ] satisfies [string, pg.ClientConfig, number][])('hold every round trip up to the first answer with %s', async (_name, settings, roundTrips) => {
    const proxy = await start()
    const client = await connected(proxy, settings)
    await client.query('SELECT 1')
    expect(proxy.counts()).toMatchObject({ connections: 1, refusedConnections: 0, roundTrips, statements: 1, open: 1 })
    await client.query('SELECT $1::int', [1])
    expect(proxy.counts()).toMatchObject({ roundTrips: roundTrips + 1, statements: 2 })
  })

  test('hold one round trip for a pipelined flight, however long the way is', async () => {
    const proxy = await start({ delayMs: 5 })
    const client = await connected(proxy, { pipeline: true })
    proxy.resetCounts()
    await Promise.all(['BEGIN', 'SELECT 1', 'COMMIT'].map(text => client.query(text)))
    expect(proxy.counts()).toMatchObject({ connections: 0, roundTrips: 1, statements: 3, open: 1 })
    expect(proxy.statementFlights()).toEqual([['BEGIN', 'SELECT 1', 'COMMIT']])
  })

  test('hold bytes in both directions and begin anew when reset', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    expect(proxy.counts().bytesFromClients).toBeGreaterThan(0)
    proxy.resetCounts()
    await client.query('SELECT 1')
    // Query: 5 and `SELECT 1` and a zero. Answer: RowDescription 34, DataRow 12, CommandComplete 14, ReadyForQuery 6.
    expect(proxy.counts()).toMatchObject({ bytesFromClients: 14, bytesToClients: 34 + 12 + 14 + 6 })
  })

  test('forget connections that are closed, but not that they were made', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    await client.end()
    await expect.poll(() => proxy.counts()).toMatchObject({ connections: 1, open: 0 })
  })
})

describe('the log', () => {
  test('names every message in its flight, and no password', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    await client.query('SELECT $1::int', [1])
    await client.query({ name: 'again', text: 'SELECT $1::int AS n', values: [1] })
    proxy.resetCounts()
    await client.query({ name: 'again', text: 'SELECT $1::int AS n', values: [2] })
    await (await connected(proxy)).query('SELECT 2')
    const [first, second] = proxy.log()
    const rest = [{ type: 'Describe' }, { type: 'Execute' }, { type: 'Sync' }]
    expect(first).toEqual({ connection: 1, flights: [[{ type: 'Bind', statement: 'SELECT $1::int AS n' }, ...rest]] })
    expect(second?.flights.map(flight => flight.map(({ type }) => type))).toEqual([
      ['SSLRequest'],
      ['StartupMessage'],
      ['Password'],
      ['Password'],
      ['Query'],
    ])
  })
})

describe('statements by flight', () => {
  test('begin with the rest of a flight that is cut in two by a reset', async () => {
    const proxy = await start()
    const client = await connected(proxy, { pipeline: true })
    proxy.silence()
    const answers = [client.query('SELECT 1')]
    await expect.poll(() => proxy.statementFlights()).toEqual([['SELECT 1']])
    proxy.resetCounts()
    answers.push(client.query('SELECT 2'), client.query('SELECT 3'))
    await expect.poll(() => proxy.statementFlights()).toEqual([['SELECT 2', 'SELECT 3']])
    proxy.unsilence()
    await Promise.all(answers)
    expect(proxy.counts()).toMatchObject({ roundTrips: 1, statements: 2 })
  })
})

describe('refusing', () => {
  test.each([
    ['reset', 'ECONNRESET'],
    ['unreachable', 'ECONNREFUSED'],
    ['close', 'Connection terminated unexpectedly'],
  ] as const)('by %s turns new connections away and leaves the others alone, until accepting again', async (manner, code) => {
    const proxy = await start()
    const client = await connected(proxy)
    await proxy.refuse(manner)
    expect(await codeOf(connected(proxy))).toBe(code)
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(proxy.counts()).toMatchObject({ connections: 1, refusedConnections: manner === 'unreachable' ? 0 : 1, open: 1 })
    await proxy.accept()
    expect(await codeOf(connected(proxy))).toBe('no error')
  })
})

describe('silence', () => {
  test('lets nothing pass and delivers it afterwards', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    proxy.silence()
    const settled: string[] = []
    const answer = client.query('SELECT 1 AS one').finally(() => settled.push('query'))
    const another = connected(proxy).finally(() => settled.push('connect'))
    await aWhile()
    expect(settled).toEqual([])
    expect(proxy.counts()).toMatchObject({ connections: 2, open: 2 })
    proxy.unsilence()
    expect((await answer).rows).toEqual([{ one: 1 }])
    expect((await (await another).query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }])
  })

  test('keeps the end of a connection from the other side', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    const { processID } = client as unknown as { processID: number }
    const sessions = () =>
      withConnection(server, 'postgres', async admin => (await admin.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [processID])).rowCount)
    proxy.silence()
    client.connection.stream.destroy()
    await aWhile()
    expect(await sessions()).toBe(1)
    proxy.unsilence()
    await expect.poll(sessions).toBe(0)
  })

  test('does not even answer the end of a connection', async () => {
    const proxy = await start()
    const { stream } = (await connected(proxy, { ssl: false })).connection
    let ended = false
    const end = once(stream, 'end').then(() => (ended = true))
    proxy.silence()
    stream.end()
    await aWhile()
    expect(ended).toBe(false)
    proxy.unsilence()
    await end
  })

  test('hides the end of the server from the client', async () => {
    const proxy = await start()
    const client = await connected(proxy)
    let ended = false
    const end = new Promise<void>(resolve => client.once('end', resolve)).then(() => (ended = true))
    proxy.silence()
    await withConnection(server, 'postgres', admin =>
      admin.query('SELECT pg_terminate_backend($1, 5000)', [(client as unknown as { processID: number }).processID]),
    )
    await aWhile()
    expect(ended).toBe(false)
    proxy.unsilence()
    await end
  })
})

describe('cutting all connections', () => {
  test.each([
    ['reset', 'ECONNRESET'],
    ['close', 'Connection terminated unexpectedly'],
  ] as const)('by %s reaches the client that way, even in silence, and ends the session', async (manner, code) => {
    const proxy = await start()
    const client = await connected(proxy)
    proxy.silence()
    const failed = codeOf(client.query('SELECT 1'))
    proxy.cutAll(manner)
    expect(await failed).toBe(code)
    await expect.poll(() => proxy.counts().open).toBe(0)
    const { processID } = client as unknown as { processID: number }
    const sessions = () =>
      withConnection(server, 'postgres', async admin => (await admin.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [processID])).rowCount)
    await expect.poll(sessions).toBe(0)
  })
})

describe('stopping', () => {
  test('leaves nothing open, whatever state connections are in', async () => {
    await expect.poll(openHandles).toEqual([])
    const proxy = await startProxy({ target: server, delayMs: 20 })
    const client = await connected(proxy)
    const failed = codeOf(client.query('SELECT pg_sleep(60)'))
    const unfinished = codeOf(connected(proxy))
    const mute = openSocket(proxy)
    await once(mute, 'connect')
    await expect.poll(() => proxy.counts().connections).toBe(3)
    proxy.silence()
    await proxy.stop()
    expect(proxy.counts().open).toBe(0)
    expect(await failed).not.toBe('no error')
    expect(await unfinished).not.toBe('no error')
    mute.destroy()
    expect(await codeOf(connected(proxy))).toBe('ECONNREFUSED')
    await expect.poll(openHandles).toEqual([])
    await proxy.stop()
  })
})

/** The TCP sockets and listeners of this process. */
function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter(kind => kind.startsWith('TCP'))
}
