import { ConnectionError, Sequelize, type Options } from 'sequelize'
import { expect, it, vi } from 'vitest'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { ResilientSequelize } from '../../src/index.ts'

// Everything in which the package differs from Sequelize on purpose, as the README lists it; `differential.test.ts` holds it
// to be equal in all else.

interface Connected {
  readonly sequelize: Sequelize
  readonly log: string[]
  readonly connect: (more?: Options) => Sequelize
}

/** What stock Sequelize and this package make of the same work, each on a database of its own. */
async function both<Result>(work: (given: Connected) => Promise<Result>, options: Options = {}): Promise<{ stock: Result; ours: Result }> {
  const run = (Class: typeof Sequelize) => withDatabase(database => withInstances(Class, database, options, work), { empty: true })
  return { stock: await run(Sequelize), ours: await run(ResilientSequelize as unknown as typeof Sequelize) }
}

async function withInstances<Result>(
  Class: typeof Sequelize,
  { connectionSettings }: TestDatabase,
  options: Options,
  work: (given: Connected) => Promise<Result>,
): Promise<Result> {
  const { user: username, authority: _, ...address } = connectionSettings
  const log: string[] = []
  const instances: Sequelize[] = []
  const connect = (more: Options = {}) => {
    const instance = new Class({ ...address, username, dialect: 'postgres', logging: text => void log.push(text), ...options, ...more })
    instances.push(instance)
    return instance
  }
  try {
    return await work({ sequelize: connect(), log, connect })
  } finally {
    for (const instance of instances)
      await ((instance as Partial<ResilientSequelize>).gracefulShutdown?.() ?? instance.close()).catch(() => undefined)
  }
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string; retryable?: boolean },
  )
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: Error) => error.message,
  )
const ONE = 'SELECT 1 AS one'

it('serves calls after close()', async () => {
  const { stock, ours } = await both(async ({ sequelize }) => {
    await sequelize.query(ONE)
    await sequelize.close()
    return outcomeOf(sequelize.query(ONE))
  })
  expect(stock).toContain('was called after the connection manager was closed')
  expect(ours).toBe('resolved')
})

it('tries an unreachable server again until pool.acquire, and logs', async () => {
  const port = await freePort()
  const { stock, ours } = await both(
    async ({ sequelize, log }) => {
      let connections = 0
      sequelize.addHook('beforeConnect', () => void (connections += 1))
      return { error: (await errorOf(sequelize.query(ONE)))?.name, several: connections > 1, log }
    },
    { port, pool: { acquire: 1_000 } },
  )
  expect(stock).toEqual({ error: 'SequelizeConnectionRefusedError', several: false, log: [] })
  expect(ours).toEqual({ error: 'SequelizeConnectionRefusedError', several: true, log: [`Executing (default): ${ONE}`] })
})

it('stops asking a server that was unreachable twice', async () => {
  const port = await freePort()
  const { stock, ours } = await both(
    async ({ sequelize }) => {
      await errorOf(sequelize.query(ONE))
      await errorOf(sequelize.query(ONE))
      let connections = 0
      sequelize.addHook('beforeConnect', () => void (connections += 1))
      const error = await errorOf(sequelize.query(ONE))
      return { isConnectionError: error instanceof ConnectionError, code: error?.code, connections }
    },
    { port, pool: { acquire: 100 } },
  )
  expect(stock).toEqual({ isConnectionError: true, code: undefined, connections: 1 })
  expect(ours).toEqual({ isConnectionError: true, code: 'database-unavailable', connections: 0 })
})

it('repeats a stand-alone statement that a deadlock took back', async () => {
  const { stock, ours } = await both(
    async ({ sequelize }) => {
      await sequelize.query('CREATE TABLE things (id int PRIMARY KEY, n int); INSERT INTO things VALUES (1, 0), (2, 0), (3, 0)')
      const waiting = (count: number) =>
        expect
          .poll(() => sequelize.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"), {
            timeout: 10_000,
          })
          .toMatchObject([{ length: count }, {}])
      const hold = async (id: number) => {
        const transaction = await sequelize.transaction()
        await sequelize.query(`SET LOCAL deadlock_timeout = '60s'; UPDATE things SET n = 1 WHERE id = ${id}`, { transaction })
        return transaction
      }
      const [two, three] = [await hold(2), await hold(3)]
      // The server takes back the session that closes the circle: it has row 1, waits for row 2, and then for row 3.
      const alone = outcomeOf(sequelize.query('UPDATE things SET n = n + 10'))
      await waiting(1)
      const one = sequelize.query('UPDATE things SET n = 1 WHERE id = 1', { transaction: three })
      await waiting(2)
      await two.commit()
      await one
      await three.commit()
      return alone
    },
    { pool: { max: 4 }, dialectOptions: { options: '-c deadlock_timeout=50ms' } },
  )
  expect(stock).toBe('deadlock detected')
  expect(ours).toBe('resolved')
})

it.each([
  ['replication', { replication: { read: [], write: {} } }],
  ['native', { native: true }],
  ['pool: false', { pool: false }],
  ['dialectModulePath', { dialectModulePath: 'pg' }],
  ['another dialect', { dialect: 'sqlite' }],
])('refuses an instance with %s', (_, options) => {
  expect(() => new ResilientSequelize('postgres://user@localhost/none', options as unknown as Options)).toThrow(
    expect.objectContaining({ code: 'invalid-options' }),
  )
})

it('refuses the transaction of another instance', async () => {
  const { stock, ours } = await both(async ({ sequelize, connect }) =>
    sequelize.transaction(async transaction => (await errorOf(connect().query(ONE, { transaction })))?.code),
  )
  expect(stock).toBeUndefined()
  expect(ours).toBe('nested-operation')
})

it('rejects a transaction whose error was swallowed', async () => {
  const { stock, ours } = await both(async ({ sequelize }) => {
    const error = await errorOf(sequelize.transaction(transaction => sequelize.query('SELECT nothing', { transaction }).catch(() => undefined)))
    return error?.code
  })
  expect(stock).toBeUndefined()
  expect(ours).toBe('transaction-rolled-back')
})

it('calls no afterCommit, and prints nothing, after a refused COMMIT', async () => {
  const printed = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const { stock, ours } = await both(async ({ sequelize }) => {
    printed.mockClear()
    await sequelize.query('CREATE TABLE things (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO things VALUES (1)')
    let calls = 0
    const error = await errorOf(
      sequelize.transaction(async transaction => {
        transaction.afterCommit(() => void (calls += 1))
        await sequelize.query('INSERT INTO things VALUES (1)', { transaction })
      }),
    )
    return { error: error?.name, calls, printed: printed.mock.calls.length }
  })
  printed.mockRestore()
  expect(stock).toEqual({ error: 'SequelizeUniqueConstraintError', calls: 1, printed: 1 })
  expect(ours).toEqual({ error: 'SequelizeUniqueConstraintError', calls: 0, printed: 0 })
})

it('sends and prints nothing about a ROLLBACK over a lost connection', async () => {
  const printed = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const { stock, ours } = await both(async ({ sequelize, log }) => {
    printed.mockClear()
    const error = await errorOf(
      sequelize.transaction(transaction => sequelize.query('SELECT pg_terminate_backend(pg_backend_pid())', { transaction })),
    )
    return { error: error?.name, rollbacks: log.filter(text => text.endsWith('ROLLBACK;')).length, printed: printed.mock.calls.length }
  })
  printed.mockRestore()
  expect(stock).toEqual({ error: 'SequelizeDatabaseError', rollbacks: 1, printed: 1 })
  expect(ours).toEqual({ error: 'SequelizeDatabaseError', rollbacks: 0, printed: 0 })
})

it('makes one connection to begin with', async () => {
  const { stock, ours } = await both(async ({ sequelize }) => {
    let connections = 0
    sequelize.addHook('beforeConnect', () => void (connections += 1))
    await sequelize.query(ONE)
    return connections
  })
  expect({ stock, ours }).toEqual({ stock: 2, ours: 1 })
})

it('loses no connection when a query hook throws', async () => {
  const { stock, ours } = await both(
    async ({ sequelize }) => {
      let lost: unknown
      sequelize.addHook('afterQuery', 'broken', (_: unknown, { connection }: { connection?: unknown }) => {
        lost = connection
        throw new Error('of the hook')
      })
      await errorOf(sequelize.query(ONE))
      sequelize.removeHook('afterQuery', 'broken')
      const error = await errorOf(sequelize.query(ONE))
      // Stock Sequelize would wait for it when it closes.
      ;(sequelize as unknown as { connectionManager: { releaseConnection(one: unknown): void } }).connectionManager.releaseConnection(lost)
      return error?.name
    },
    { pool: { max: 1, acquire: 200 } },
  )
  expect(stock).toBe('SequelizeConnectionAcquireTimeoutError')
  expect(ours).toBeUndefined()
})

it('adds a code and retryable to errors', async () => {
  const { stock, ours } = await both(async ({ sequelize }) => {
    const { name, code, retryable } = (await errorOf(sequelize.query('SELECT nothing'))) ?? {}
    return { name, code, retryable }
  })
  expect(stock).toEqual({ name: 'SequelizeDatabaseError', code: undefined, retryable: undefined })
  expect(ours).toEqual({ name: 'SequelizeDatabaseError', code: '42703', retryable: false })
})

it('reads outside of a transaction in a read-only one', async () => {
  const { stock, ours } = await both(({ sequelize }) =>
    sequelize.query("SELECT current_setting('transaction_read_only') AS setting", { plain: true }),
  )
  expect({ stock, ours }).toEqual({ stock: { setting: 'off' }, ours: { setting: 'on' } })
})
