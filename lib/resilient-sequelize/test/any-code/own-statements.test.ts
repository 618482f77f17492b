import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { ResilientSequelize, type ExecuteOptions, type ResilientOptions, type Work } from '../../src/index.ts'
import { startRewritingProxy, type RewritingProxy } from './rewriting-proxy.ts'

// A unit sends statements of its own beside those of its work. The server can stop each of them.

interface Stage {
  readonly sequelize: ResilientSequelize
  readonly database: TestDatabase
  readonly proxy: RewritingProxy
}

async function withProxy(work: (stage: Stage) => Promise<void>, options: ResilientOptions = {}): Promise<void> {
  await withDatabase(
    async database => {
      const { host, port } = database.connectionSettings
      const proxy = await startRewritingProxy({ host, port })
      const url = new URL(database.url)
      url.host = `127.0.0.1:${proxy.port}`
      const sequelize = new ResilientSequelize(url.href, { logging: false, pool: { max: 1 }, ...options })
      try {
        await sequelize.query('CREATE TABLE notes (text text PRIMARY KEY)')
        await sequelize.execute('warm', ({ query }) => query('SELECT 1'))
        await work({ sequelize, database, proxy })
      } finally {
        await sequelize.gracefulShutdown()
        await proxy.stop()
      }
    },
    { empty: true },
  )
}

const SLOW = 'SELECT pg_sleep(30)'
const insert = (text: string) => `INSERT INTO notes VALUES ('${text}')`

/** Runs a unit with so much time; resolves to its result or its error. */
async function run(
  sequelize: ResilientSequelize,
  remainingMs: number,
  work: (work: Work) => Promise<unknown>,
  options: ExecuteOptions = {},
): Promise<unknown> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  return sequelize
    .execute('unit', work, { ...options, deadline })
    .catch((error: unknown) => error)
    .finally(() => deadline.clear())
}

/** Runs safe-executed work; resolves to the codes of its fallbacks. */
async function safely(sequelize: ResilientSequelize, text: string, budgetMs: number): Promise<string[]> {
  const codes: string[] = []
  await sequelize.safeExecute(() => sequelize.query(text), {
    operationName: 'log',
    fallbackValue: undefined,
    budgetMs,
    onFallback: code => void codes.push(code),
  })
  return codes
}

/** Runs joined work with less time than the unit: the server's limit is shorter afterwards. */
async function joinShortly(sequelize: ResilientSequelize, remainingMs: number): Promise<void> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  await sequelize.execute('joined', ({ query }) => query('SELECT 1'), { deadline }).finally(() => deadline.clear())
}

/** Cancels the backend once it runs a statement that matches. */
async function cancelWhen(database: TestDatabase, matches: string): Promise<void> {
  const running = `FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE '${matches}'`
  while ((await database.query(`SELECT 1 ${running} AND query_start < now() - interval '200 ms'`)).length === 0) await sleep(20)
  await database.query(`SELECT pg_cancel_backend(pid) ${running}`)
}

describe('a savepoint of safe-executed work', () => {
  it('is rolled back when its release is stopped, and the unit commits', async () => {
    await withProxy(async ({ sequelize, database, proxy }) => {
      proxy.rewriteNext(/^SET LOCAL .*(; RELEASE SAVEPOINT \w+)$/, `${SLOW}$1`)
      let codes: string[] = []
      const result = await run(sequelize, 5_000, async ({ query }) => {
        await query(insert('a'))
        codes = await safely(sequelize, insert('b'), 300)
        await query(insert('c'))
        return 'done'
      })
      expect({ result, codes }).toEqual({ result: 'done', codes: ['57014'] })
      expect(await database.query('SELECT text FROM notes ORDER BY 1')).toEqual([{ text: 'a' }, { text: 'c' }])
    })
  })

  it('leaves no trace in the unit when its time limit was stopped', async () => {
    await withProxy(async ({ sequelize, proxy }) => {
      proxy.rewriteNext(/^(SAVEPOINT \w+; )SET LOCAL .*$/, `$1${SLOW}`)
      const codes: string[][] = []
      const told = await run(sequelize, 8_000, async ({ query }) => {
        await query(insert('a'))
        await joinShortly(sequelize, 300)
        codes.push(await safely(sequelize, insert('b'), 1_000))
        await query(insert('c'))
        codes.push(await safely(sequelize, insert('d'), 500))
        await query(insert('a'))
      })
      // Only the first one has failed, and the unit's error is its own.
      expect(codes.map(({ length }) => length)).toEqual([1, 0])
      expect(told).toMatchObject({ name: 'SequelizeUniqueConstraintError' })
    })
  })

  it('does not change how a cancelled COMMIT is reported', async () => {
    await withProxy(async ({ sequelize, database }) => {
      await database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'")
      await database.query('CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()')
      const cancelled = cancelWhen(database, 'COMMIT')
      const told = await run(sequelize, 15_000, async ({ query }) => {
        await safely(sequelize, 'SELECT 1', 100)
        await query(insert('a'))
      })
      await cancelled
      expect(told).toMatchObject({ name: 'SequelizeDatabaseError', original: { code: '57014' } })
    })
  })
})

describe('a statement that the unit itself sends', () => {
  it('reports its own error when it is cancelled, and not that of the statement behind it', async () => {
    await withProxy(async ({ sequelize, database, proxy }) => {
      proxy.rewriteNext(/^SELECT pg_current_xact_id_if_assigned[^]*$/, SLOW)
      const cancelled = cancelWhen(database, '%pg_sleep%')
      const told = await run(sequelize, 8_000, ({ query }) => Promise.all([query(insert('a')), query(insert('b'))]))
      await cancelled
      expect(told).toMatchObject({ name: 'SequelizeDatabaseError', original: { code: '57014' } })
    })
  })

  it('ends the unit with its deadline when it reads the types', async () => {
    await withProxy(async ({ sequelize, database, proxy }) => {
      await database.query("CREATE TYPE mood AS ENUM ('sad')")
      proxy.rewriteNext(/^[^]*pg_type[^]*$/, SLOW)
      const told = await run(sequelize, 700, async ({ query }) => {
        const read = query("SELECT 'sad'::mood AS mood").catch(() => undefined)
        await sleep(100)
        const written = query(insert('a'))
        await read
        return written
      })
      expect(told).toMatchObject({ code: 'deadline-exceeded' })
    })
  })

  it('sets a limit again that is lower than the time left', async () => {
    await withProxy(async ({ sequelize }) => {
      const told = await run(sequelize, 1_000, async ({ query }) => {
        await joinShortly(sequelize, 820)
        return query(SLOW)
      })
      expect(told).toMatchObject({ code: 'deadline-exceeded' })
    })
  })
})

it('reports a slow start of a unit with a code', async () => {
  await withProxy(
    async ({ sequelize, proxy }) => {
      proxy.rewriteNext(/^(START TRANSACTION;.*)SET LOCAL client_connection_check_interval = \d+(.*)$/, `$1SELECT pg_sleep(1)$2`)
      expect(await run(sequelize, 900, ({ query }) => query(`${insert('a')} RETURNING text`))).toBeInstanceOf(CodedError)
    },
    { resilience: { pooled: true } },
  )
})
