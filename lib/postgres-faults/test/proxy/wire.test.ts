import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { settingsThrough } from '../../src/proxy/client.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'
import { type CutConnection, type CutPoint, type WireMessage } from '../../src/proxy/wire.ts'
import { copyDatabase, type TestDatabase } from '../../src/test-database.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function setUp(): Promise<{ proxy: Proxy; database: TestDatabase; connect: () => Promise<pg.Client>; kept: () => Promise<number> }> {
  const database = await copyDatabase(server, 'template0')
  cleanUps.push(() => database.drop())
  await database.query('CREATE TABLE kept (number int)')
  const proxy = await startProxy({ target: server })
  cleanUps.push(() => proxy.stop())
  return {
    proxy,
    database,
    async connect() {
      const client = new pg.Client({ ...settingsThrough(proxy, server), database: database.name })
      client.on('error', () => {})
      cleanUps.push(async () => client.connection.stream.destroy())
      return client.connect()
    },
    kept: async () => (await database.query<{ count: number }>('SELECT count(*)::int AS count FROM kept'))[0]?.count ?? -1,
  }
}

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** Records one insert, from the connection on. */
async function recordInsert({ proxy, connect }: Awaited<ReturnType<typeof setUp>>): Promise<readonly WireMessage[]> {
  const recording = proxy.record()
  const client = await connect()
  await client.query('INSERT INTO kept VALUES ($1)', [1])
  recording.end()
  await client.end()
  return recording.messages()
}

function pointAt(messages: readonly WireMessage[], type: string, { nth = 0, inside = false, connection = 2 } = {}): CutPoint {
  const found = messages.filter(message => message.type === type)[nth]
  if (found === undefined) throw new Error(`there is no ${type}`)
  return { connection, from: found.from, message: found.message, inside }
}

describe('a recording', () => {
  test('holds every message of both sides from the first byte', async () => {
    const messages = await recordInsert(await setUp())
    expect(messages.map(({ from, type }) => `${from} ${type}`)).toEqual([
      'client SSLRequest',
      'server EncryptionResponse',
      'client TLSHandshake',
      'client StartupMessage',
      'server Authentication',
      'client Password',
      'server Authentication',
      'client Password',
      'server Authentication',
      'server Authentication',
      'server ParameterStatus',
      'server BackendKeyData',
      'server ReadyForQuery',
      'client Parse',
      'client Bind',
      'client Describe',
      'client Execute',
      'client Sync',
      'server ParseComplete',
      'server BindComplete',
      'server NoData',
      'server CommandComplete',
      'server ReadyForQuery',
    ])
    expect(messages.find(({ type }) => type === 'Parse')?.statement).toBe('INSERT INTO kept VALUES ($1)')
    // Each side of a connection counts by itself, without gaps.
    for (const side of ['client', 'server'] as const) {
      const ofSide = messages.filter(({ from }) => from === side)
      expect(ofSide.map(({ message }) => message)).toEqual(ofSide.map((_, index) => index))
    }
  })

  test('counts a run of start-up parameters as one message', async () => {
    const messages = await recordInsert(await setUp())
    const runs = messages.filter(({ type }) => type === 'ParameterStatus')
    expect(runs).toHaveLength(1)
    // More than the longest single one.
    expect(runs[0]?.bytes).toBeGreaterThan(200)
  })

  test('numbers connections and ends when it is told to', async () => {
    const { proxy, connect } = await setUp()
    await (await connect()).end()
    const recording = proxy.record()
    const client = await connect()
    recording.end()
    await client.query('SELECT 1')
    expect(new Set(recording.messages().map(({ connection }) => connection))).toEqual(new Set([2]))
    expect(recording.messages().some(({ type }) => type === 'Query')).toBe(false)
  })
})

describe('a cut', () => {
  test.each([
    ['close', 'Connection terminated unexpectedly'],
    ['reset', 'ECONNRESET'],
  ] as const)('by %s passes on exactly what comes before', async (action, code) => {
    const setting = await setUp()
    const messages = await recordInsert(setting)
    const recording = setting.proxy.record()
    const cut = setting.proxy.cutAt(pointAt(messages, 'CommandComplete'), action)
    const client = await setting.connect()
    expect(cut.reached()).toBe(false)
    expect(await outcomeOf(client.query('INSERT INTO kept VALUES ($1)', [2]))).toBe(code)
    expect(cut.reached()).toBe(true)
    // The server has executed it: Sync came before.
    expect(await setting.kept()).toBe(2)
    expect(recording.messages().at(-1)?.type).toBe('CommandComplete')
  })

  test('before a message of the client keeps it from the server', async () => {
    const setting = await setUp()
    const messages = await recordInsert(setting)
    setting.proxy.cutAt(pointAt(messages, 'Execute'), 'close')
    expect(await outcomeOf((await setting.connect()).query('INSERT INTO kept VALUES ($1)', [2]))).toBe('Connection terminated unexpectedly')
    expect(await setting.kept()).toBe(1)
  })

  test('inside a message lets half of it through', async () => {
    const setting = await setUp()
    const messages = await recordInsert(setting)
    const before = setting.proxy.counts().bytesToClients
    setting.proxy.cutAt(pointAt(messages, 'CommandComplete', { inside: true }), 'close')
    const client = await setting.connect()
    let received = 0
    client.connection.stream.on('data', (chunk: Buffer) => (received += chunk.length))
    await outcomeOf(client.query('INSERT INTO kept VALUES ($1)', [2]))
    const upToIt = messages.filter(({ from, type }) => from === 'server' && ['ParseComplete', 'BindComplete', 'NoData'].includes(type))
    const whole = messages.find(({ type }) => type === 'CommandComplete')?.bytes ?? 0
    expect(received).toBe(upToIt.reduce((sum, { bytes }) => sum + bytes, 0) + Math.floor(whole / 2))
    expect(setting.proxy.counts().bytesToClients).toBeGreaterThan(before)
  })

  test('by silence ends nothing and passes nothing', async () => {
    const setting = await setUp()
    const messages = await recordInsert(setting)
    const cut = setting.proxy.cutAt(pointAt(messages, 'ParseComplete'), 'silence')
    const client = await setting.connect()
    const insert = outcomeOf(client.query('INSERT INTO kept VALUES ($1)', [2]))
    await expect.poll(() => cut.reached()).toBe(true)
    await expect.poll(() => setting.kept()).toBe(2)
    expect(await Promise.race([insert, new Promise(resolve => setTimeout(resolve, 100, 'nothing'))])).toBe('nothing')
    expect(setting.proxy.counts().open).toBe(1)
  })

  test('calls back, and the connection waits for its end', async () => {
    const setting = await setUp()
    const messages = await recordInsert(setting)
    const { promise: reached, resolve } = Promise.withResolvers<CutConnection>()
    setting.proxy.cutAt(pointAt(messages, 'ReadyForQuery', { nth: 1 }), resolve)
    const client = await setting.connect()
    const insert = outcomeOf(client.query('INSERT INTO kept VALUES ($1)', [2]))
    const connection = await reached
    expect(connection.serverHasEnded()).toBe(false)
    expect(await Promise.race([insert, new Promise(resolve => setTimeout(resolve, 50, 'nothing'))])).toBe('nothing')
    connection.end('reset')
    expect(await insert).toBe('ECONNRESET')
    expect(await setting.kept()).toBe(2)
  })

  test.each(['SSLRequest', 'EncryptionResponse', 'TLSHandshake', 'StartupMessage', 'ParameterStatus', 'BackendKeyData'])(
    'at %s ends the log-in',
    async type => {
      const setting = await setUp()
      const messages = await recordInsert(setting)
      const cut = setting.proxy.cutAt(pointAt(messages, type), 'reset')
      expect(await outcomeOf(setting.connect())).toMatch(/ECONNRESET|Connection terminated|disconnected/)
      expect(cut.reached()).toBe(true)
      // Once: the next connection is well.
      await (await setting.connect()).end()
    },
  )

  test('of a point that is not there is never reached', async () => {
    const setting = await setUp()
    const cut = setting.proxy.cutAt({ connection: 1, from: 'client', message: 1_000, inside: false }, 'reset')
    const other = setting.proxy.cutAt({ connection: 1, from: 'client', message: 0, inside: false }, 'reset')
    other.remove()
    await (await setting.connect()).end()
    expect([cut.reached(), other.reached()]).toEqual([false, false])
  })
})
