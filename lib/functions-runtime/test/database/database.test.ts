import { usersOf } from '../../../functions-devkit/test/support/service.ts'
import pg from 'pg'
import { Sequelize } from 'sequelize'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { databaseSettings, type DatabaseSettings } from '../../src/database/settings.ts'
import { loadModels } from '../../../functions-devkit/test/application/lib/app/database.ts'
import { openDatabase } from '../../src/database/connect.ts'
import type { BuildGeneration, PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'
import { KEEPALIVE } from '../../../resilient-sequelize/src/wire/limits.ts'
import type { DatabaseService } from '../../src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { main as user } from '../../../functions-devkit/test/application/packages/api/user/index.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { apiKey, call, environmentFor, withFunctions } from '../../../functions-devkit/test/support/functions.ts'

interface Subject {
  database: TestDatabase
  manager: PoolManager
  service: DatabaseService
  lines: Record<string, unknown>[]
}

async function withService(
  work: (subject: Subject) => Promise<void>,
  { changes = {}, around }: { changes?: Partial<DatabaseSettings>; around?: (build: BuildGeneration) => BuildGeneration } = {},
): Promise<void> {
  await withDatabase(async database => {
    const settings = databaseSettings.parse(environmentFor(database)).value
    if (!settings) throw new Error('the settings of the test are wrong')
    const lines: Record<string, unknown>[] = []
    const logger = createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: text => void lines.push(JSON.parse(text) as Record<string, unknown>) },
    })
    const options = { settings: { ...settings, ...changes }, applicationName: 'subject', logger, models: loadModels }
    const { manager, service } = openDatabase({ ...options, ...(around && { around }) })
    try {
      await work({ database, manager, service, lines })
    } finally {
      await manager.gracefulShutdown()
    }
  })
}

const one = (service: DatabaseService) => service.execute('one', async ({ query }) => (await query<{ one: number }>('SELECT 1 AS one'))[0]?.one)
const sessions = (database: TestDatabase) =>
  database.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'subject' AND datname = current_database()")

describe('the pool', () => {
  it('is not built before the first use', async () => {
    await withService(async ({ manager, service }) => {
      expect(manager.getConnectionStatus()).toMatchObject({ state: 'idle', generation: 0, pool: { size: 0 } })
      expect(await one(service)).toBe(1)
      expect(manager.getConnectionStatus()).toMatchObject({ state: 'ready', generation: 1, pool: { size: 1, idle: 1 } })
    })
  })

  it('is started once however many ask at once', async () => {
    let built = 0
    const around =
      (build: BuildGeneration): BuildGeneration =>
      async asked => ((built += 1), build(asked))
    await withService(
      async ({ database, service }) => {
        await Promise.all(Array.from({ length: 20 }, () => one(service)))
        expect(built).toBe(1)
        expect(await sessions(database)).toHaveLength(1)
      },
      { around },
    )
  })

  it('forgets a start that failed', async () => {
    let built = 0
    const around =
      (build: BuildGeneration): BuildGeneration =>
      async asked => {
        built += 1
        if (built === 1) throw new Error('a bad cold start')
        return build(asked)
      }
    await withService(
      async ({ service }) => {
        await expect(one(service)).rejects.toThrow('a bad cold start')
        expect(await one(service)).toBe(1)
      },
      { around },
    )
  })

  it('opens one connection in its life and asks the server nothing of its own but how full it is, once', async () => {
    await withService(async ({ database, service, manager }) => {
      const sent = vi.spyOn(pg.Client.prototype, 'query')
      await one(service)
      await one(service)
      const statements = sent.mock.calls.map(([given]) =>
        (typeof given === 'string' ? given : (given as unknown as { text: string }).text).replace(/\d+$/, 'N').slice(0, 40),
      )
      sent.mockRestore()
      const transaction = ['SELECT 1 AS one', 'SELECT pg_current_xact_id_if_assigned():', 'COMMIT']
      // The session's own time limits are learned once, with the first transaction.
      const first = ['START TRANSACTION; SELECT (extract(epoch', ...transaction]
      const second = ['START TRANSACTION; SET LOCAL statement_t', ...transaction]
      expect(statements).toEqual([...first, 'SELECT count(*)::int AS sessions,\n    cu', ...second])
      // The server has seen two sessions in this database: the one under test and the one that asks.
      await manager.gracefulShutdown()
      await expect
        .poll(() => database.query('SELECT sessions::int FROM pg_stat_database WHERE datname = current_database()'))
        .toEqual([{ sessions: 2 }])
    })
  })

  it('lets the server end sessions that stay idle', async () => {
    await withService(async ({ service }) => {
      const rows = await service.execute('show', ({ query }) =>
        query("SELECT current_setting('idle_session_timeout') AS idle, current_setting('tcp_keepalives_idle')::int AS silent"),
      )
      expect(rows).toEqual([{ idle: '4min', silent: KEEPALIVE.idleS }])
    })
  })
})

describe('a pool that somebody closed', () => {
  it('is rebuilt without the caller noticing, for the next 100 operations and more', async () => {
    await withService(async ({ database, manager, service }) => {
      await one(service)
      await (await manager.currentGeneration()).sequelize.close()
      for (let call = 0; call < 100; call += 1) expect(await one(service)).toBe(1)
      expect(manager.getConnectionStatus().generation).toBe(2)
      expect(await sessions(database)).toHaveLength(1)
    })
  })

  it('is rebuilt once for many callers at once', async () => {
    await withService(async ({ manager, service }) => {
      await one(service)
      await (await manager.currentGeneration()).sequelize.close()
      expect(await Promise.all(Array.from({ length: 20 }, () => one(service)))).toEqual(Array<number>(20).fill(1))
      expect(manager.getConnectionStatus().generation).toBe(2)
    })
  })

  it('is rebuilt again and again', async () => {
    await withService(async ({ database, manager, service }) => {
      for (let round = 1; round <= 5; round += 1) {
        expect(await one(service)).toBe(1)
        expect(manager.getConnectionStatus().generation).toBe(round)
        await (await manager.currentGeneration()).sequelize.close()
      }
      // A session ends a moment after its connection.
      await expect.poll(() => sessions(database)).toHaveLength(0)
    })
  })

  it('lets work that is under way finish while new work goes to the next generation', async () => {
    await withService(async ({ manager, service }) => {
      const entered = Promise.withResolvers<void>()
      const leave = Promise.withResolvers<void>()
      const slow = service.execute('slow', async ({ query }) => {
        entered.resolve()
        await leave.promise
        return query('SELECT 2 AS two')
      })
      await entered.promise
      const closing = (await manager.currentGeneration()).sequelize.close()
      expect(await one(service)).toBe(1)
      leave.resolve()
      expect(await slow).toEqual([{ two: 2 }])
      await closing
      expect(manager.getConnectionStatus().generation).toBe(2)
    })
  })

  it('is rebuilt by connect() and by the health check as well', async () => {
    await withService(async ({ manager }) => {
      await manager.connect()
      await (await manager.currentGeneration()).sequelize.close()
      expect(await manager.isConnectionHealthy()).toBe(true)
      await (await manager.currentGeneration()).sequelize.close()
      await manager.connect()
      expect(manager.getConnectionStatus()).toMatchObject({ state: 'ready', generation: 3 })
    })
  })

  it('is rebuilt after it was ended', async () => {
    await withService(async ({ database, manager, service }) => {
      await one(service)
      await manager.end()
      expect(await sessions(database)).toHaveLength(0)
      expect(await one(service)).toBe(1)
    })
  })

  it('refuses calls after a shutdown', async () => {
    await withService(async ({ database, manager, service }) => {
      await one(service)
      await manager.gracefulShutdown()
      expect(await sessions(database)).toHaveLength(0)
      await expect(one(service)).rejects.toMatchObject({ code: 'shut-down', retryable: false })
    })
  })
})

describe('live Sequelize instances closed from outside', () => {
  const instances: Sequelize[] = []
  afterEach(() => {
    Sequelize.removeHook('afterInit', 'collect')
    instances.length = 0
  })

  it('cost none of the next 100 requests', async () => {
    Sequelize.addHook('afterInit', 'collect', instance => void instances.push(instance))
    await withFunctions([user], async () => {
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
      const created = await call(user, { method: 'POST', headers, body: '{"email":"a@example.com","name":"A"}' })
      await Promise.all(instances.map(instance => instance.close()))
      const answers: number[] = []
      for (let request = 0; request < 100; request += 1) answers.push((await call(user, { path: `/${String(created.body.id)}`, headers })).statusCode)
      expect(answers).toEqual(Array<number>(100).fill(200))
      // Its pool was replaced, not the instance.
      expect(instances).toHaveLength(1)
    })
  })
})

describe('a shutdown', () => {
  it('does not wait longer than its bound for work that never ends', async () => {
    await withService(async ({ database, manager, service }) => {
      const entered = Promise.withResolvers<void>()
      const stuck = service.execute('stuck', async ({ query }) => {
        entered.resolve()
        return query('SELECT pg_sleep(20)')
      })
      const failed = stuck.catch((error: unknown) => error)
      await entered.promise
      await manager.gracefulShutdown(100)
      expect(await failed).toBeInstanceOf(Error)
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'subject' AND datname = current_database()",
      )
    })
  })

  it('ends a pool that is just being built', async () => {
    await withService(async ({ database, manager }) => {
      const starting = manager.currentGeneration()
      await manager.gracefulShutdown()
      await starting
      expect(await sessions(database)).toHaveLength(0)
      expect(manager.getConnectionStatus().state).toBe('idle')
    })
  })
})

describe('execute', () => {
  it('commits what the work wrote and gives its result', async () => {
    await withService(async ({ database, service }) => {
      const row = await service.execute('write', ({ models, transaction }) =>
        usersOf(models).create({ id: '0192b7f0-0000-7000-8000-000000000001', email: 'a@example.com', name: 'A', externalId: null }, { transaction }),
      )
      expect(row.get('email')).toBe('a@example.com')
      expect(await database.query('SELECT email FROM users')).toEqual([{ email: 'a@example.com' }])
    })
  })

  it('rolls back when the work throws, and passes its error on as it is', async () => {
    await withService(async ({ database, service }) => {
      const failure = new Error('no')
      const work = service.execute('write', async ({ query }) => {
        await query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', 'e', 't', now())")
        throw failure
      })
      await expect(work).rejects.toBe(failure)
      expect(await database.query('SELECT * FROM webhook_events')).toEqual([])
      expect(await one(service)).toBe(1)
      expect(await sessions(database)).toHaveLength(1)
    })
  })

  it('reports a transaction in which an error was swallowed as rolled back', async () => {
    await withService(async ({ database, service }) => {
      const work = service.execute('swallow', async ({ query }) => {
        await query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', 'e', 't', now())")
        await query('SELECT 1/0').catch(() => undefined)
      })
      await expect(work).rejects.toMatchObject({ code: 'transaction-rolled-back' })
      expect(await database.query('SELECT * FROM webhook_events')).toEqual([])
    })
  })

  it('has the server refuse a write in a read', async () => {
    await withService(async ({ service }) => {
      const write = service.execute('write', ({ query }) => query('CREATE TABLE t (a int)'), { mode: 'read' })
      await expect(write).rejects.toMatchObject({ code: 'nested-operation' })
    })
  })

  it('has the server stop a statement that takes too long, and keeps the connection', async () => {
    await withService(async ({ database, service }) => {
      const deadline = openDeadline({ remainingMs: 300, reserveMs: 0 })
      const entered = await service.execute('pid', ({ query }) => query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))
      await expect(service.execute('slow', ({ query }) => query('SELECT pg_sleep(2)'), { deadline })).rejects.toMatchObject({
        code: 'deadline-exceeded',
      })
      const later = await service.execute('pid', ({ query }) => query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))
      expect(later[0]?.pid).toBe(entered[0]?.pid)
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'subject' AND datname = current_database()",
      )
    })
  })

  it('commits nothing once the deadline has passed', async () => {
    await withService(async ({ database, service }) => {
      const deadline = openDeadline({ remainingMs: 200, reserveMs: 0 })
      const late = service.execute(
        'late',
        async ({ query, signal }) => {
          await query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', 'e', 't', now())")
          await new Promise(resolve => signal.addEventListener('abort', resolve))
        },
        { deadline },
      )
      await expect(late).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(await database.query('SELECT * FROM webhook_events')).toEqual([])
    })
  })

  it('tries to connect until its deadline while the database is away, then says when to come back', async () => {
    await withService(
      async ({ manager, service, lines }) => {
        const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0 })
        const away = service.execute('away', async () => undefined, { deadline })
        await expect(away).rejects.toMatchObject({
          code: 'database-unavailable',
          retryAfterMs: expect.any(Number) as number,
          cause: { name: 'SequelizeConnectionRefusedError' },
        })
        expect(lines.filter(line => line.event === 'database.connect.retried').length).toBeGreaterThan(0)
        expect(manager.getConnectionStatus()).toMatchObject({ lastErrorCode: 'ECONNREFUSED', lastFailureAt: expect.any(Number) as number })
      },
      { changes: { port: 1 } },
    )
  })

  it('does not try again with a wrong password', async () => {
    await withService(
      async ({ service, lines }) => {
        await expect(service.execute('login', async () => undefined)).rejects.toMatchObject({
          code: 'database-unavailable',
          cause: { original: { code: '28P01' } },
        })
        expect(lines.filter(line => line.event === 'database.connect.retried')).toEqual([])
      },
      { changes: { password: 'wrong' } },
    )
  })

  it('waits for a connection that another holds, and gives back one that came too late', async () => {
    await withService(async ({ manager, service }) => {
      const leave = Promise.withResolvers<void>()
      const holding = service.execute('hold', () => leave.promise)
      const deadline = openDeadline({ remainingMs: 200, reserveMs: 0 })
      await expect(service.execute('wait', async () => undefined, { deadline })).rejects.toMatchObject({ code: 'database-busy' })
      leave.resolve()
      await holding
      expect(await one(service)).toBe(1)
      expect(manager.getConnectionStatus().pool).toMatchObject({ size: 1, idle: 1, inUse: 0, waiting: 0 })
    })
  })
})

describe('safeExecute', () => {
  it('gives the result of work that succeeds', async () => {
    await withService(async ({ service }) => {
      expect(await service.safeExecute(() => one(service), { operationName: 'one', fallbackValue: null })).toBe(1)
    })
  })

  it.each([
    [true, 'warn'],
    [false, 'debug'],
  ])('gives the fallback for work that fails and logs it (logWarning %s: %s)', async (logWarning, level) => {
    await withService(async ({ service, lines }) => {
      const work = async () => {
        throw new Error('no')
      }
      expect(await service.safeExecute(work, { operationName: 'log', fallbackValue: 'fallback', logWarning })).toBe('fallback')
      expect(lines.at(-1)).toMatchObject({ event: 'operation.fallback', operation: 'log', level })
    })
  })
})
