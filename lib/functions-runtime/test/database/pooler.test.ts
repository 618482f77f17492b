import { usersOf } from '../../../functions-devkit/test/support/service.ts'
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { databaseSettings } from '../../src/database/settings.ts'
import { loadModels } from '../../../functions-devkit/test/application/lib/app/database.ts'
import { openDatabase } from '../../src/database/connect.ts'
import type { PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { DatabaseService, Work } from '../../src/database/service.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'

const TIME_LIMIT_MS = 7_000
// As PgBouncer is without a word in its settings: it takes no start-up options.
const BARE = { ignore_startup_parameters: '' }
// As poolers are often set up: options are dropped, and nobody hears of it.
const SILENT = { ignore_startup_parameters: 'extra_float_digits,options' }
const LIMITS =
  "SELECT current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('client_connection_check_interval') AS watched, current_setting('statement_timeout')::interval > '0' AS bounded, pg_backend_pid() AS pid"
const NAME = "SELECT current_setting('application_name') AS name"

interface Limits {
  idle: string
  watched: string
  bounded: boolean
  pid: number
}

const limits = async ({ query }: Work) => (await query<Limits>(LIMITS))[0]
const insert = ({ models }: Work) => {
  const id = randomUUID()
  return usersOf(models).create({ id, email: `${id}@example.com`, name: 'Ada' })
}

/** A container's database behind a real PgBouncer with one session of the server. */
async function behindPooler(
  { variables = {}, settings: poolerSettings = BARE }: { variables?: Record<string, string>; settings?: Readonly<Record<string, string>> },
  work: (parts: { manager: PoolManager; service: DatabaseService; database: TestDatabase; events: () => string[] }) => Promise<void>,
): Promise<void> {
  await withDatabase(async database => {
    const { host, port, user, password } = database.connectionSettings
    const pooler = await startPgBouncer({ server: { host, port, user, password }, settings: { ...poolerSettings, default_pool_size: '1' } })
    const { value: settings } = databaseSettings.parse({
      DB_HOST: pooler.host,
      DB_PORT: String(pooler.port),
      DB_NAME: database.name,
      DB_USER: user,
      DB_PASSWORD: password,
      ...variables,
    })
    if (!settings) throw new Error('the settings of the test are wrong')
    const lines: string[] = []
    const logger = createLogger({ name: 'test', level: 'info', destination: { write: line => void lines.push(line) } })
    const { manager, service } = openDatabase({ settings, applicationName: 'subject', timeLimitMs: TIME_LIMIT_MS, logger, models: loadModels })
    const events = () => lines.map(line => (JSON.parse(line) as { event: string }).event)
    try {
      await work({ manager, service, database, events })
    } finally {
      await manager.gracefulShutdown()
      await pooler.stop()
    }
  })
}

describe.skipIf(!hasPgBouncer())('through a pooler', () => {
  it('a transaction brings its limits along and leaves none behind', async () => {
    await behindPooler({ variables: { DB_POOLER: 'transaction' } }, async ({ service, manager, database, events }) => {
      const inside = await service.execute('look', async work => (await insert(work), limits(work)))
      expect(inside).toMatchObject({ idle: '7s', watched: '500ms', bounded: true })
      const read = await service.execute('look', limits, { mode: 'read' })
      expect(read).toEqual({ idle: '7s', watched: '500ms', bounded: true, pid: inside?.pid })
      expect(await service.execute('look', ({ query }) => query(NAME), { mode: 'read' })).toEqual([{ name: 'subject' }])
      // The one session of the server, as the next client would find it.
      const lease = await manager.acquire()
      expect(await lease.connection.sendRaw(LIMITS)).toMatchObject({ rows: [{ idle: '0', watched: '0', bounded: false, pid: inside?.pid }] })
      lease.release()
      expect(await database.query('SELECT name FROM users')).toEqual([{ name: 'Ada' }])
      expect(events().filter(event => !String(event).startsWith('database.connection.'))).toEqual([])
      expect(manager.getConnectionStatus().generation).toBe(1)
    })
  })

  it('what nobody told is learned from the session that a transaction runs on, where options are dropped without a word', async () => {
    await behindPooler({ settings: SILENT }, async ({ service, manager, database, events }) => {
      const work = async (given: Work) => (await insert(given), limits(given))
      expect(await service.execute('look', work)).toMatchObject({ idle: '0' })
      expect(await service.execute('look', work)).toMatchObject({ idle: '7s', watched: '500ms' })
      expect(await service.execute('look', limits, { mode: 'read' })).toMatchObject({ idle: '7s' })
      expect(manager.getConnectionStatus().generation).toBe(1)
      // What is built later starts without options.
      await (await manager.currentGeneration()).sequelize.close()
      expect(await service.execute('look', work)).toMatchObject({ idle: '7s' })
      expect((await manager.currentGeneration()).sendsOptions).toBe(false)
      expect(await database.query('SELECT name FROM users')).toHaveLength(3)
      expect(events().filter(event => event === 'database.pooler.found')).toHaveLength(1)
    })
  })

  it.each([
    ['that was told', { variables: { DB_POOLER: 'transaction' } }],
    ['that nobody told of', { settings: SILENT }],
  ])('no statement is given a name that another session would not know: a pooler %s', async (_what, options) => {
    await behindPooler(options, async ({ service }) => {
      const one = ({ query }: Work) => query<{ one: number }>('SELECT $one::int AS one', { one: 1 })
      for (const mode of ['read', 'read', 'read', 'write', 'write', 'write', 'read'] as const) {
        expect(await service.execute('one', one, { mode })).toEqual([{ one: 1 }])
      }
      expect(await service.execute('names', ({ query }) => query('SELECT name FROM pg_prepared_statements'))).toEqual([])
    })
  })

  it('what nobody told is learned from the refusal, once', async () => {
    await behindPooler({}, async ({ service, manager, database, events }) => {
      expect(await service.execute('look', async work => (await insert(work), limits(work)))).toMatchObject({ idle: '7s', bounded: true })
      expect(await database.query('SELECT name FROM users')).toEqual([{ name: 'Ada' }])
      expect(manager.getConnectionStatus()).toMatchObject({ generation: 2, breaker: 'closed', lastErrorCode: undefined })
      await (await manager.currentGeneration()).sequelize.close()
      await service.execute('look', limits, { mode: 'read' })
      expect(manager.getConnectionStatus().generation).toBe(3)
      expect(events().filter(event => event === 'database.generation.retired')).toHaveLength(2)
    })
  })
})
