import { Sequelize, type Transaction } from 'sequelize'
import { expect, it } from 'vitest'
import { ResilientSequelize } from '../src/index.ts'
import { withDatabase, type TestDatabase } from '../../functions-devkit/test/support/database.ts'
import { textsIn } from './notes.ts'

// What an application does with Sequelize, where this class once did something else.

async function withSequelize(work: (sequelize: ResilientSequelize, database: TestDatabase) => Promise<void>): Promise<void> {
  await withDatabase(async database => {
    const sequelize = new ResilientSequelize(database.url, { logging: false, pool: { max: 3 } })
    try {
      await sequelize.query('CREATE TABLE notes (text text)')
      await work(sequelize, database)
    } finally {
      await sequelize.gracefulShutdown()
    }
  })
}

const raise = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END $$`

it('stores what a function writes that catches its own errors', async () => {
  await withSequelize(async (sequelize, database) => {
    await sequelize.query(`CREATE FUNCTION note() RETURNS int LANGUAGE plpgsql AS $$
      BEGIN BEGIN INSERT INTO notes VALUES ('kept'); EXCEPTION WHEN OTHERS THEN NULL; END; RETURN 1; END $$`)
    await sequelize.query('SELECT note()')
    expect(await textsIn(database)).toEqual(['kept'])
  })
})

it('reads what another transaction committed before the lock was granted', async () => {
  await withSequelize(async (sequelize, database) => {
    const isolationLevel = 'REPEATABLE READ' as Transaction.ISOLATION_LEVELS.REPEATABLE_READ
    const count = await sequelize.transaction({ isolationLevel }, async transaction => {
      await sequelize.query("SET LOCAL lock_timeout = '5s'", { transaction })
      await sequelize.query('LOCK TABLE notes IN SHARE MODE', { transaction })
      return sequelize.query('SELECT count(*)::int AS n FROM notes', { transaction, plain: true })
    })
    expect(count).toEqual({ n: 0 })
    const seen = await sequelize.transaction({ isolationLevel }, async transaction => {
      await sequelize.query("SET LOCAL lock_timeout = '5s'", { transaction })
      await database.query("INSERT INTO notes VALUES ('between')")
      return sequelize.query('SELECT count(*)::int AS n FROM notes', { transaction, plain: true })
    })
    expect(seen).toEqual({ n: 1 })
  })
})

it('lets a transaction set its isolation behind other settings', async () => {
  await withSequelize(async sequelize => {
    const level = await sequelize.transaction(async transaction => {
      await sequelize.query("SET LOCAL statement_timeout = '5s'", { transaction })
      await sequelize.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', { transaction })
      return sequelize.query('SHOW transaction_isolation', { transaction, plain: true })
    })
    expect(level).toEqual({ transaction_isolation: 'serializable' })
  })
})

it.each(['08006', '53300', '57P01', '57P03', '28P01', 'XX000', '55P03'])('tells an error %s of a statement as it is, once', async code => {
  await withSequelize(async sequelize => {
    for (let time = 0; time < 3; time += 1) await expect(sequelize.query(raise(code))).rejects.toMatchObject({ original: { code } })
    expect(sequelize.getConnectionStatus().breaker).toBe('closed')
    expect(await sequelize.query('SELECT 1 AS one', { plain: true })).toEqual({ one: 1 })
  })
})

it('commits a transaction whose savepoint took an internal error back', async () => {
  await withSequelize(async (sequelize, database) => {
    await sequelize.transaction(async transaction => {
      const run = (text: string) => sequelize.query(text, { transaction })
      await run("INSERT INTO notes VALUES ('before')")
      await run('SAVEPOINT a')
      await run(raise('XX000')).catch(() => undefined)
      await run('ROLLBACK TO SAVEPOINT a')
    })
    expect(await textsIn(database)).toEqual(['before'])
  })
})

it('waits for afterCommit of a nested transaction, and rejects with it', async () => {
  await withSequelize(async sequelize => {
    const nested = sequelize.transaction(outer =>
      sequelize.transaction({ transaction: outer }, async inner => {
        inner.afterCommit(async () => {
          await new Promise(resolve => setImmediate(resolve))
          throw new Error('of the hook')
        })
      }),
    )
    await expect(nested).rejects.toThrow('of the hook')
  })
})

it('refuses a placeholder without a value as Sequelize does', async () => {
  await withSequelize(async (sequelize, database) => {
    const stock = new Sequelize(database.url, { logging: false })
    const [theirs, ours] = await Promise.all([stock, sequelize].map(one => one.query('SELECT $1').catch((error: unknown) => error)))
    await stock.close()
    expect(ours).toMatchObject({ original: { code: (theirs as { original: { code: string } }).original.code } })
  })
})

it('lends connections on which COPY and cursors work', async () => {
  await withSequelize(async (sequelize, database) => {
    const manager = (sequelize as unknown as { connectionManager: { getConnection(): Promise<never>; releaseConnection(one: never): void } })
      .connectionManager
    const client: { pipeline: boolean } = await manager.getConnection()
    expect(client.pipeline).toBe(false)
    manager.releaseConnection(client as never)
    await sequelize.query("INSERT INTO notes VALUES ('after')")
    expect(client.pipeline).toBe(true)
    expect(await textsIn(database)).toEqual(['after'])
  })
})

it('ends connections that arrive after close()', async () => {
  await withSequelize(async (sequelize, database) => {
    const queries = [1, 2, 3].map(() => sequelize.query('SELECT 1'))
    await Promise.all(queries)
    await sequelize.close()
    const sessions = () => database.query('SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
    await expect.poll(sessions, { timeout: 5_000 }).toEqual([])
  })
})
