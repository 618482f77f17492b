import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { copyDatabase, type TestDatabase } from '../../src/test-database.ts'
import { settingsThrough } from '../../src/proxy/client.ts'
import { type AddedFault, type Fault } from '../../src/proxy/faults.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'

const server = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Setting {
  proxy: Proxy
  database: TestDatabase
  connect: (settings?: pg.ClientConfig) => Promise<pg.Client>
  /** The numbers that are in the table `kept`, as another connection sees them. */
  kept: () => Promise<number[]>
}

async function setUp(): Promise<Setting> {
  const database = await copyDatabase(server, 'template0')
  cleanUps.push(() => database.drop())
  await database.query('CREATE TABLE kept (number int)')
  const proxy = await startProxy({ target: server })
  cleanUps.push(() => proxy.stop())
  return {
    proxy,
    database,
    async connect(settings) {
      const client = new pg.Client({ ...settingsThrough(proxy, server), database: database.name, ...settings })
      client.on('error', () => {})
      return client.connect()
    },
    kept: async () => (await database.query<{ number: number }>('SELECT number FROM kept ORDER BY number')).map(({ number }) => number),
  }
}

/** `ok`, or the code or message of the error. */
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

const insert = (number: number) => ({ text: 'INSERT INTO kept VALUES ($1)', values: [number] })

/** A transaction in one flight; the outcome of each statement. */
const inOneFlight = (client: pg.Client, ...statements: (string | pg.QueryConfig)[]) =>
  Promise.all(statements.map(statement => outcomeOf(client.query(statement))))

/** Longer than any test. */
const HOURS_MS = 10_000_000

const CUTS = [
  ['reset', 'ECONNRESET'],
  ['close', 'Connection terminated unexpectedly'],
] as const

const HANG_UP = { error: { severity: 'ERROR', code: '08P01', message: 'server conn crashed?' }, hangsUp: true } as const

describe('a fault before a statement', () => {
  test.each(CUTS)('by %s keeps it from the server', async (action, code) => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action })
    expect(await outcomeOf(client.query('INSERT INTO kept VALUES (1)'))).toBe(code)
    expect(fault.fired()).toBe(1)
    await expect.poll(() => proxy.counts().open).toBe(0)
    expect(await kept()).toEqual([])
  })

  test.each(CUTS)('by %s lets what was sent earlier in the flight through and drops what is behind', async (action, code) => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    proxy.addFault({ on: 'statement', matches: 'commit', when: 'before', action })
    const outcomes = await inOneFlight(client, insert(1), 'BEGIN', insert(2), 'COMMIT', insert(3))
    expect(outcomes).toEqual(['ok', 'ok', 'ok', code, code])
    expect(proxy.statementFlights().at(-1)).toEqual([insert(1).text, 'BEGIN', insert(2).text, 'COMMIT', insert(3).text])
    await expect.poll(() => proxy.counts().open).toBe(0)
    expect(await kept()).toEqual([1])
  })

  test('recognises a statement that was prepared earlier', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    await client.query({ name: 'insert', ...insert(1) })
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: 'reset' })
    expect(await outcomeOf(client.query({ name: 'insert', ...insert(2) }))).toBe('ECONNRESET')
    expect(fault.fired()).toBe(1)
    expect(await kept()).toEqual([1])
  })

  test('by silence mutes this connection alone, for good', async () => {
    const { proxy, database, connect, kept } = await setUp()
    const client = await connect({ application_name: 'silenced' })
    const other = await connect()
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: 'silence' })
    const outcome = outcomeOf(client.query('INSERT INTO kept VALUES (1)'))
    await fault.firstFired
    await other.query('INSERT INTO kept VALUES (2)')
    client.connection.stream.destroy()
    expect(await outcome).not.toBe('ok')
    proxy.silence()
    proxy.unsilence()
    await other.query('INSERT INTO kept VALUES (3)')
    expect(await kept()).toEqual([2, 3])
    expect(await database.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'silenced'")).toHaveLength(1)
    await proxy.stop()
  })

  test('with an error that hangs up keeps it from the server', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: HANG_UP })
    expect(await inOneFlight(client, insert(1), 'BEGIN', insert(2), 'COMMIT')).toEqual(['ok', 'ok', 'ok', HANG_UP.error.code])
    await expect.poll(() => proxy.counts().open).toBe(0)
    expect(await kept()).toEqual([1])
  })

  test('by a delay passes it on later', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: { delayMs: 30 } })
    expect(await inOneFlight(client, insert(1), insert(2))).toEqual(['ok', 'ok'])
    expect(fault.fired()).toBe(1)
    expect(await kept()).toEqual([1, 2])
    await client.end()
  })

  test('by a long delay keeps it and what is behind from the server until then', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: { delayMs: HOURS_MS } })
    const outcomes = inOneFlight(client, 'SELECT 1', insert(1), 'SELECT 2')
    await fault.firstFired
    await (await connect()).end()
    expect(await kept()).toEqual([])
    proxy.cutAll('reset')
    expect(await outcomes).toEqual(['ok', 'ECONNRESET', 'ECONNRESET'])
  })
})

describe('a fault after a statement', () => {
  test('with an error that hangs up leaves it executed', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: HANG_UP })
    expect(await inOneFlight(client, 'BEGIN', insert(1), 'COMMIT')).toEqual(['ok', 'ok', HANG_UP.error.code])
    await expect.poll(() => proxy.counts().open).toBe(0)
    expect(await kept()).toEqual([1])
  })

  test.each(CUTS)('by %s takes the answer away once the server has executed it', async (action, code) => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'after', action })
    expect(await outcomeOf(client.query(insert(1)))).toBe(code)
    expect(fault.fired()).toBe(1)
    expect(await kept()).toEqual([1])
  })

  test.each(CUTS)('by %s on COMMIT answers what was sent earlier in the flight', async (action, code) => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action })
    expect(await inOneFlight(client, 'BEGIN', insert(1), 'COMMIT', 'SELECT 1')).toEqual(['ok', 'ok', code, code])
    expect(await kept()).toEqual([1])
  })

  test('by silence leaves the client waiting for a commit that has happened', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'silence' })
    const outcomes = inOneFlight(client, 'BEGIN', insert(1), 'COMMIT')
    await fault.firstFired
    expect(await kept()).toEqual([1])
    expect(proxy.counts().open).toBe(1)
    proxy.cutAll('reset')
    expect(await outcomes).toEqual(['ok', 'ok', 'ECONNRESET'])
  })

  test('by a delay answers later, in order', async () => {
    const { proxy, connect } = await setUp()
    const client = await connect({ pipeline: true })
    const fault = proxy.addFault({ on: 'statement', matches: 'SELECT 1', when: 'after', action: { delayMs: 30 } })
    const order: string[] = []
    await Promise.all(['SELECT 1', 'SELECT 2'].map(text => client.query(text).then(() => order.push(text))))
    expect(order).toEqual(['SELECT 1', 'SELECT 2'])
    expect(fault.fired()).toBe(1)
    await client.end()
  })

  test('by a long delay keeps the answer from the client until then', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'after', action: { delayMs: HOURS_MS } })
    const outcomes = inOneFlight(client, 'SELECT 1', insert(1), 'SELECT 2')
    await fault.firstFired
    await (await connect()).end()
    await expect.poll(kept).toEqual([1])
    proxy.cutAll('reset')
    expect(await outcomes).toEqual(['ok', 'ECONNRESET', 'ECONNRESET'])
  })

  test('swallows the answer of an extended statement from its own part of the turn on', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    proxy.addFault({ on: 'statement', matches: /second/, when: 'after', action: 'reset' })
    // Two statements before one Sync, as libpq's pipeline sends them.
    const { connection } = client as unknown as { connection: pg.Connection & Record<'parse' | 'bind' | 'execute', (config: object) => void> }
    const completed: string[] = []
    connection.on('commandComplete', ({ text }: { text: string }) => completed.push(text))
    for (const name of ['first', 'second']) {
      connection.parse({ text: `INSERT INTO kept VALUES (1) /* ${name} */` })
      connection.bind({})
      connection.execute({})
    }
    ;(connection as unknown as { sync(): void }).sync()
    await new Promise(resolve => client.once('end', resolve))
    expect(completed.length).toBe(1)
    expect(await kept()).toEqual([1, 1])
  })
})

describe('an error in place of a statement', () => {
  const conflict = { code: '40001', message: 'could not serialize access' }

  test.each([
    ['a simple one', 'INSERT INTO kept VALUES (1)'],
    ['an extended one', insert(1)],
  ])('is raised for %s and the connection goes on', async (_kind, statement) => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    const fault = proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: { error: conflict } })
    await expect(client.query(statement as string)).rejects.toMatchObject({ ...conflict, severity: 'ERROR' })
    expect(fault.fired()).toBe(1)
    expect(await kept()).toEqual([])
    await client.query(statement as string)
    expect(await kept()).toEqual([1])
    await client.end()
  })

  test('is raised for a statement that was prepared earlier', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect()
    await client.query({ name: 'insert', ...insert(1) })
    proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'before', action: { error: conflict } })
    expect(await outcomeOf(client.query({ name: 'insert', ...insert(2) }))).toBe('40001')
    expect(await outcomeOf(client.query({ name: 'insert', ...insert(3) }))).toBe('ok')
    expect(await kept()).toEqual([1, 3])
    await client.end()
  })

  test('fails the transaction it is raised in', async () => {
    const { proxy, connect, kept } = await setUp()
    const client = await connect({ pipeline: true })
    proxy.addFault({ on: 'statement', matches: /\$1/, when: 'before', action: { error: conflict } })
    const commit = Promise.withResolvers<string>()
    const outcomes = inOneFlight(client, 'BEGIN', insert(1), insert(2))
    client.query('COMMIT').then(({ command }) => commit.resolve(command), commit.reject)
    expect(await outcomes).toEqual(['ok', '40001', '25P02'])
    expect(await commit.promise).toBe('ROLLBACK')
    expect(await kept()).toEqual([])
    await client.end()
  })

  test('closes the connection when it is fatal', async () => {
    const { proxy, connect } = await setUp()
    const client = await connect()
    const ended = new Promise(resolve => client.once('end', resolve))
    const fatal = { severity: 'FATAL', code: '57P01', message: 'terminating connection due to administrator command' } as const
    proxy.addFault({ on: 'statement', matches: 'SELECT 1', when: 'before', action: { error: fatal } })
    await expect(client.query('SELECT 1')).rejects.toMatchObject(fatal)
    await ended
  })
})

describe('the number of times', () => {
  const lock = {
    on: 'statement',
    matches: /^SELECT/,
    when: 'before',
    action: { error: { code: '55P03', message: 'lock not available' } },
  } satisfies Fault

  async function outcomes({ connect }: Setting, times: number): Promise<string[]> {
    const client = await connect()
    const list: string[] = []
    for (let time = 0; time < times; time += 1) list.push(await outcomeOf(client.query('SELECT 1')))
    await client.end()
    return list
  }

  test('is how many matches the fault applies to', async () => {
    const setting = await setUp()
    const fault = setting.proxy.addFault({ ...lock, times: 2 })
    expect(await outcomes(setting, 3)).toEqual(['55P03', '55P03', 'ok'])
    expect(fault.fired()).toBe(2)
  })

  test('ends when the fault is removed', async () => {
    const setting = await setUp()
    const fault: AddedFault = setting.proxy.addFault({ ...lock, times: Infinity })
    expect(await outcomes(setting, 2)).toEqual(['55P03', '55P03'])
    fault.remove()
    expect(await outcomes(setting, 1)).toEqual(['ok'])
  })

  test('is used up by the fault that was added first', async () => {
    const setting = await setUp()
    const faults = [setting.proxy.addFault(lock), setting.proxy.addFault({ ...lock, action: { error: { code: '57014', message: 'canceled' } } })]
    expect(await outcomes(setting, 3)).toEqual(['55P03', '57014', 'ok'])
    expect(faults.map(fault => fault.fired())).toEqual([1, 1])
  })
})
