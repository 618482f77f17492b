import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ExecuteOptions, Work } from '../../src/index.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { withStage, type Stage } from './stage.ts'

// What the work asks of the server is what it gets.

const LOCK = "SELECT FROM notes WHERE text = 'a' FOR UPDATE"

async function locked(stage: Stage, work: () => Promise<void>): Promise<void> {
  await stage.database.query("INSERT INTO notes VALUES ('a')")
  const holder = await stage.sequelize.transaction()
  try {
    await stage.sequelize.query(LOCK, { transaction: holder })
    await work()
  } finally {
    await holder.rollback()
  }
}

const PROVOKED: [string, string, (work: Work) => Promise<unknown>][] = [
  ['a row that is locked, NOWAIT', '55P03', ({ query }) => query(`${LOCK} NOWAIT`)],
  ['a table that is locked, NOWAIT', '55P03', ({ query }) => query('LOCK TABLE notes IN ACCESS EXCLUSIVE MODE NOWAIT')],
  ['its own lock_timeout', '55P03', ({ query }) => query("SET LOCAL lock_timeout = '50ms'").then(() => query(LOCK))],
  [
    'a lock_timeout that it sets by a function',
    '55P03',
    ({ query }) => query("SELECT set_config('lock_timeout', $ms, true)", { ms: '50ms' }).then(() => query(LOCK)),
  ],
  [
    'a limit whose name is a value',
    '55P03',
    ({ query }) => query('SELECT set_config($name, $ms, true)', { name: 'lock_timeout', ms: '50ms' }).then(() => query(LOCK)),
  ],
  [
    'a limit that a function sets',
    '55P03',
    ({ query }) => query("DO $$ BEGIN PERFORM set_config('lock_' || 'timeout', '50ms', true); END $$").then(() => query(LOCK)),
  ],
  ['its own statement_timeout', '57014', ({ query }) => query("SET LOCAL statement_timeout = '50ms'").then(() => query('SELECT pg_sleep(5)'))],
  ['its own cancellation', '57014', ({ query }) => query('SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)')],
  ['its own advisory lock that is refused', 'P0001', ({ query }) => query("DO $$ BEGIN RAISE EXCEPTION 'taken'; END $$")],
]

describe('an error that the work provokes on purpose', () => {
  it.each(PROVOKED)('by %s is told as it is, once', async (_which, code, provoke) => {
    await withStage(async stage => {
      await locked(stage, async () => {
        let tries = 0
        const unit = stage.sequelize.execute('provoke', async work => {
          tries += 1
          await provoke(work)
        })
        await expect(unit).rejects.toMatchObject({ name: 'SequelizeDatabaseError', original: { code } })
        expect(tries).toBe(1)
        expect(stage.sequelize.getConnectionStatus().breaker).toBe('closed')
      })
    })
  })

  it('reaches the work before it reaches the caller', async () => {
    await withStage(async stage => {
      await locked(stage, async () => {
        const seen = await stage.sequelize
          .execute('provoke', ({ query }) => query(`${LOCK} NOWAIT`).catch((error: unknown) => error))
          .catch(() => 'told')
        expect(seen).toBe('told')
      })
    })
  })
})

describe('the limit of a statement', () => {
  const timeout = async ({ query }: Work) =>
    (await query<{ ms: number }>("SELECT setting::int AS ms FROM pg_settings WHERE name = 'statement_timeout'"))[0]?.ms
  const KINDS: [string, ExecuteOptions][] = [
    ['a transaction', {}],
    ['a read', { mode: 'read' }],
    ['a snapshot', { mode: 'read', snapshot: true }],
    ['a serializable transaction', { isolation: 'SERIALIZABLE' }],
  ]

  it.each(KINDS)("in %s is the administrator's if that is lower", async (_which, options) => {
    await withStage(async ({ sequelize, database }) => {
      await database.query("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = %L', current_database(), '1500ms'); END $$")
      await sequelize.close()
      // The first on its connection, and one that knows the session's limits.
      for (let time = 0; time < 2; time += 1) expect(await sequelize.execute('look', timeout, options)).toBe(1_500)
    })
  })

  it.each(KINDS)('in %s is what is left of the time if that is lower', async (_which, options) => {
    await withStage(async ({ sequelize }) => {
      for (let time = 0; time < 2; time += 1) {
        const deadline = openDeadline({ remainingMs: 5_000, reserveMs: 0 })
        const ms = await sequelize.execute('look', timeout, { ...options, deadline }).finally(() => deadline.clear())
        expect(ms).toBeGreaterThan(0)
        expect(ms).toBeLessThan(5_000)
      }
    })
  })

  it('that the work sets stands, however long it goes on', async () => {
    await withStage(async ({ sequelize }) => {
      const seen = await sequelize.execute('look', async work => {
        await work.query("SET LOCAL statement_timeout = '3s'")
        await work.query('SELECT pg_sleep(0.3)')
        await sequelize.safeExecute(() => sequelize.query('SELECT 1'), { operationName: 'log', fallbackValue: undefined })
        return timeout(work)
      })
      expect(seen).toBe(3_000)
    })
  })

  it('holds although the first statement is a savepoint that is rolled back', async () => {
    await withStage(async ({ sequelize }) => {
      const deadline = openDeadline({ remainingMs: 5_000, reserveMs: 0 })
      const seen = await sequelize
        .execute(
          'look',
          async work => {
            await sequelize.transaction(() => Promise.reject(new Error('taken back'))).catch(() => undefined)
            return timeout(work)
          },
          { deadline },
        )
        .finally(() => deadline.clear())
      expect(seen).toBeGreaterThan(0)
    })
  })

  it('that is the session’s is not raised behind one that a unit has set for good', async () => {
    await withStage(
      async ({ sequelize }) => {
        await sequelize.execute('warm', timeout)
        await sequelize.execute('set', ({ query }) => query("SET statement_timeout = '900ms'"))
        expect(await sequelize.execute('look', timeout)).toBe(900)
      },
      { pool: { max: 1 } },
    )
  })

  it("leaves the administrator's idle limit through a pooler", async () => {
    await withStage(
      async ({ sequelize, database }) => {
        await database.query(
          "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '7s'); END $$",
        )
        await sequelize.close()
        const seen = await sequelize.execute('look', ({ query }) => query('SHOW idle_in_transaction_session_timeout'))
        expect(seen).toEqual([{ idle_in_transaction_session_timeout: '7s' }])
      },
      { resilience: { pooled: true } },
    )
  })

  it('that is ours ends a statement with the deadline', async () => {
    await withStage(async ({ sequelize }) => {
      await sequelize.execute('warm', timeout)
      const deadline = openDeadline({ remainingMs: 800, reserveMs: 0 })
      const slow = sequelize.execute('slow', ({ query }) => query('SELECT pg_sleep(10)'), { deadline }).finally(() => deadline.clear())
      await expect(slow).rejects.toMatchObject({ code: 'deadline-exceeded' })
    })
  })

  it('of the unit is never reported as an error of the work', async () => {
    await withStage(
      async ({ sequelize }) => {
        const pid = async ({ query }: Work) => (await query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid ?? 0
        const many = ({ query }: Work) => Promise.all(Array.from({ length: 500 }, () => query('UPDATE notes SET text = $a WHERE false', { a: 'a' })))
        const told: unknown[] = []
        for (let time = 0; time < 20; time += 1) {
          const backend = await sequelize.execute('warm', pid)
          const deadline = openDeadline({ remainingMs: 260, reserveMs: 0 })
          const unit = sequelize.execute('many', many, { deadline }).catch((error: unknown) => told.push(error))
          // The server has 110 ms for each statement and is stopped for longer, during a statement of the unit or of the work.
          await setTimeout(10)
          process.kill(backend, 'SIGSTOP')
          await setTimeout(140)
          process.kill(backend, 'SIGCONT')
          await unit.finally(() => deadline.clear())
        }
        expect(told.length).toBeGreaterThan(0)
        expect(told.filter(error => !(error instanceof CodedError))).toEqual([])
      },
      { pool: { max: 1 } },
    )
  })

  it('leaves a transaction that begins with SET TRANSACTION alone', async () => {
    await withStage(async ({ sequelize }) => {
      const level = await sequelize.execute('level', async ({ query }) => {
        await query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
        return query('SHOW transaction_isolation')
      })
      expect(level).toEqual([{ transaction_isolation: 'serializable' }])
    })
  })

  it("leaves the administrator's lock_timeout a reason to try again", async () => {
    await withStage(async stage => {
      await stage.database.query("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = %L', current_database(), '50ms'); END $$")
      await stage.sequelize.close()
      let tries = 0
      await locked(stage, async () => {
        const unit = stage.sequelize.execute('wait', ({ query }) => ((tries += 1), query(LOCK)))
        await expect(unit).rejects.toMatchObject({ code: 'database-busy' })
      })
      expect(tries).toBeGreaterThan(1)
    })
  })
})
