import pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Transaction } from 'sequelize'
import type { Work } from '../../src/index.ts'
import { withStage, type Stage } from './stage.ts'

// The transaction of a unit is ended by the unit alone.

interface Ending {
  /** What is left in the table: what the work itself has committed cannot be taken back. */
  readonly left?: readonly string[]
  run(work: Work, stage: Stage): Promise<unknown>
}

const connectionOf = ({ transaction }: Work) => (transaction as unknown as { connection: pg.Client }).connection
const interfaceOf = ({ sequelize }: Stage) =>
  sequelize.getQueryInterface() as unknown as Record<'commitTransaction' | 'rollbackTransaction', (of: Transaction, options: object) => Promise<void>>
const swallow = (promise: Promise<unknown>) => promise.catch(() => undefined)

const ENDINGS: Record<string, Ending> = {
  'transaction.rollback()': { run: ({ transaction }) => transaction.rollback() },
  'transaction.rollback(), handled': { run: ({ transaction }) => swallow(transaction.rollback()) },
  'transaction.commit(), handled': { run: ({ transaction }) => swallow(transaction.commit()) },
  'a rollback by the query interface': { run: ({ transaction }, stage) => interfaceOf(stage).rollbackTransaction(transaction, {}) },
  'a commit by the query interface': { left: ['a'], run: ({ transaction }, stage) => interfaceOf(stage).commitTransaction(transaction, {}) },
  'ROLLBACK as text': { run: ({ query }) => query('ROLLBACK') },
  'COMMIT as text': { left: ['a'], run: ({ query }) => query('COMMIT') },
  'END in lower case': { left: ['a'], run: ({ query }) => query('/* done */ end;') },
  'ABORT by sequelize.query': { run: ({ transaction }, { sequelize }) => sequelize.query('ABORT', { transaction }) },
  'ROLLBACK AND CHAIN': { run: ({ query }) => query('ROLLBACK AND CHAIN') },
  'COMMIT AND CHAIN': { left: ['a'], run: ({ query }) => query('COMMIT AND CHAIN') },
  'COMMIT and BEGIN in one text': { left: ['a'], run: ({ query }) => query('COMMIT; BEGIN') },
  'ROLLBACK and BEGIN in one text': { run: ({ query }) => query("ROLLBACK; BEGIN; INSERT INTO notes VALUES ('b')") },
  'a text that fails behind its COMMIT': { left: ['a'], run: ({ query }) => swallow(query('COMMIT; BEGIN; SELECT 1 / 0')) },
  'COMMIT over the connection': { left: ['a'], run: work => connectionOf(work).query('COMMIT') },
  'ROLLBACK by a query object': {
    run: work => new Promise((resolve, reject) => connectionOf(work).query(new pg.Query('ROLLBACK', error => (error ? reject(error) : resolve(0))))),
  },
  'ROLLBACK with values': { run: work => connectionOf(work).query({ text: 'ROLLBACK', values: [], queryMode: 'extended' } as pg.QueryConfig) },
  'the end of its connection': { run: work => connectionOf(work).end() },
  'ROLLBACK, not waited for': { run: async ({ query }) => void swallow(query('ROLLBACK')) },
  'ROLLBACK of a failed transaction': {
    run: async ({ query }) => {
      await swallow(query('SELECT 1 / 0'))
      await query('ROLLBACK')
    },
  },
  'COMMIT of a failed transaction and BEGIN': {
    run: async ({ query }) => {
      await swallow(query('SELECT 1 / 0'))
      await query('COMMIT; BEGIN')
    },
  },
  'END AND CHAIN of a failed transaction': {
    run: async ({ query }) => {
      await swallow(query('SELECT 1 / 0'))
      await query('-- end\nEND AND CHAIN')
    },
  },
  'ROLLBACK with a statement in the same flight': {
    run: ({ query }) => Promise.allSettled([query('ROLLBACK'), query("INSERT INTO notes VALUES ('b')")]),
  },
  'COMMIT whose answer is lost': {
    left: ['a'],
    run: async work => {
      void swallow(work.query('COMMIT'))
      await new Promise(resolve => setImmediate(resolve))
      ;(connectionOf(work) as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    },
  },
  'an error behind ROLLBACK and BEGIN': {
    run: ({ query }) => query("ROLLBACK; BEGIN; DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"),
  },
  'ROLLBACK in safe-executed work': {
    run: (_work, { sequelize }) =>
      sequelize.safeExecute(() => sequelize.query('ROLLBACK'), { operationName: 'log', fallbackValue: undefined, logWarning: false }),
  },
}

describe('a unit fails, is not repeated, and says why', () => {
  it.each(Object.entries(ENDINGS))('after %s', async (_which, { run, left = [] }) => {
    await withStage(async stage => {
      const { sequelize, texts } = stage
      let tries = 0
      const called: string[] = []
      const failing = sequelize.execute('end', async work => {
        tries += 1
        work.afterCommit(() => called.push('after commit'))
        await work.query("INSERT INTO notes VALUES ('a')")
        await run(work, stage)
        return 'done'
      })
      await expect(failing).rejects.toMatchObject({ code: 'nested-operation', message: expect.stringContaining('ended by the unit alone') as string })
      expect({ tries, texts: await texts(), called }).toEqual({ tries: 1, texts: left, called: [] })
      expect(await sequelize.execute('next', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    })
  })

  it('and runs no statement behind such an end', async () => {
    await withStage(async ({ sequelize, texts }) => {
      const failing = sequelize.execute('end', async ({ query }) => {
        await query('ROLLBACK')
        await query("INSERT INTO notes VALUES ('b')").catch(() => undefined)
      })
      await expect(failing).rejects.toMatchObject({ code: 'nested-operation' })
      expect(await texts()).toEqual([])
    })
  })

  it('also in a read, which then writes nothing', async () => {
    await withStage(async ({ sequelize, texts }) => {
      let tries = 0
      const failing = sequelize.execute('end', ({ query }) => ((tries += 1), query("COMMIT; BEGIN; INSERT INTO notes VALUES ('b')")), {
        mode: 'read',
      })
      await expect(failing).rejects.toMatchObject({ code: 'nested-operation' })
      expect({ tries, texts: await texts() }).toEqual({ tries: 1, texts: [] })
    })
  })

  it('also if the work throws an error of its own, which is the cause', async () => {
    await withStage(async ({ sequelize }) => {
      const own = new Error('of the work')
      let tries = 0
      const failing = sequelize.execute('end', async ({ query }) => {
        tries += 1
        await query('ROLLBACK')
        throw own
      })
      await expect(failing).rejects.toMatchObject({ code: 'nested-operation', cause: own })
      expect(tries).toBe(1)
    })
  })
})

const SAVEPOINTS: Record<string, (work: Work, stage: Stage) => Promise<unknown>> = {
  'in a managed transaction': (_work, { sequelize }) =>
    sequelize.transaction(async () => Promise.reject(new Error('taken back'))).catch(() => undefined),
  'in an unmanaged transaction': async (_work, { sequelize }) => {
    const inner = await sequelize.transaction()
    await sequelize.query("INSERT INTO notes VALUES ('b')", { transaction: inner })
    await inner.rollback()
  },
  'by SQL': async ({ query }) => {
    await query('SAVEPOINT s')
    await query("INSERT INTO notes VALUES ('b')")
    await query('ROLLBACK TO SAVEPOINT s')
  },
  'by SQL in a failed transaction': async ({ query }) => {
    await query('SAVEPOINT s')
    await query('SELECT 1 / 0').catch(() => undefined)
    await query('rollback work to s')
  },
  'by one text': ({ query }) => query("SAVEPOINT s; INSERT INTO notes VALUES ('b'); ROLLBACK TO s; RELEASE s"),
  'by SQL with a comment within': async ({ query }) => {
    await query('SAVEPOINT s')
    await query('ROLLBACK /* the last */ TO s')
  },
  'by a text that says ROLLBACK elsewhere': async ({ query }) => {
    await query('SAVEPOINT s')
    await query("ROLLBACK TO s; SELECT 'rollback'")
  },
}

it.each(Object.entries(SAVEPOINTS))('a savepoint rolled back %s leaves the unit alone', async (_which, run) => {
  await withStage(async stage => {
    await stage.sequelize.execute('inner', async work => {
      await work.query("INSERT INTO notes VALUES ('a')")
      await run(work, stage)
    })
    expect(await stage.texts()).toEqual(['a'])
  })
})

describe('a read', () => {
  it.each([
    ['a block that takes its time', 'DO $$ BEGIN PERFORM pg_sleep(0.2); END $$'],
    ['an ending that is not waited for', 'SELECT pg_sleep(0.2); COMMIT'],
  ])('leaves the next unit alone when it does not wait for %s', async (_which, text) => {
    await withStage(
      async ({ sequelize, texts }) => {
        await sequelize.execute('dirty', async ({ query }) => void query(text).catch(() => undefined), { mode: 'read' })
        const failing = sequelize.execute('next', async ({ query }) => {
          await query('SELECT pg_sleep(0.3)')
          await query("INSERT INTO notes VALUES ('a')")
          throw new Error('taken back')
        })
        await expect(failing).rejects.toThrow('taken back')
        expect(await texts()).toEqual([])
      },
      { pool: { max: 1 } },
    )
  })

  it('keeps its statements apart from one that fails beside them', async () => {
    await withStage(async ({ sequelize }) => {
      const seen = await sequelize.execute(
        'apart',
        ({ query }) => Promise.allSettled([query("DO $$ BEGIN RAISE EXCEPTION 'x'; END $$"), query('SELECT CASE WHEN true THEN 1 END AS one')]),
        { mode: 'read' },
      )
      expect(seen.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    })
  })

  it('commits nothing behind a text that ends its transaction', async () => {
    await withStage(async ({ sequelize, texts }) => {
      const failing = sequelize.execute(
        'flight',
        ({ query }) => Promise.allSettled([query("COMMIT; BEGIN; INSERT INTO notes VALUES ('b')"), query('SELECT 1')]),
        { mode: 'read' },
      )
      await expect(failing).rejects.toMatchObject({ code: 'nested-operation' })
      expect(await texts()).toEqual([])
    })
  })
})

it.each<[string, (work: Work) => unknown]>([
  ['nothing', work => connectionOf(work).query(undefined as never)],
  ['a text that is none', work => connectionOf(work).query({ text: 5 } as never)],
  ['values that are none', work => connectionOf(work).query({ text: 'SELECT 1', values: 'x' } as never)],
  [
    'a name of another text',
    async work => {
      await connectionOf(work).query({ name: 'n', text: 'SELECT 1' })
      await connectionOf(work).query({ name: 'n', text: 'SELECT 2' })
    },
  ],
])('later units are as ever after pg itself refused %s', async (_which, refuse) => {
  await withStage(
    async ({ sequelize, texts }) => {
      await sequelize.execute('refused', async work => refuse(work)).catch(() => undefined)
      for (const text of ['a', 'b'])
        await sequelize.execute('next', async ({ query }) => {
          await query('SELECT 1')
          await query('INSERT INTO notes VALUES ($text)', { text })
        })
      const ending = sequelize.execute('end', async ({ query }) => {
        await query("INSERT INTO notes VALUES ('c')")
        await query('ROLLBACK')
      })
      await expect(ending).rejects.toMatchObject({ code: 'nested-operation' })
      expect(await texts()).toEqual(['a', 'b'])
    },
    { pool: { max: 1 } },
  )
})
