import { describe, expect, it } from 'vitest'
import type { Work } from '../../src/index.ts'
import { raise, withStage, type Stage } from './stage.ts'

// The error that leaves the work decides; one that a savepoint took back has no say.

class ConflictError extends Error {}

/** Locks the row `a` from another session while `work` runs. */
async function locked(stage: Stage, work: () => Promise<void>): Promise<void> {
  const { sequelize } = stage
  await sequelize.query("INSERT INTO notes VALUES ('a')")
  const holder = await sequelize.transaction()
  try {
    await sequelize.query("SELECT FROM notes WHERE text = 'a' FOR UPDATE", { transaction: holder })
    await work()
  } finally {
    await holder.rollback()
  }
}

const NOWAIT = "SELECT FROM notes WHERE text = 'a' FOR UPDATE NOWAIT"

type Recover = (work: Work, stage: Stage, failing: string) => Promise<unknown>
const SAVEPOINTS: Record<string, Recover> = {
  'a managed transaction': (_work, { sequelize }, failing) => sequelize.transaction(() => sequelize.query(failing)).catch((error: unknown) => error),
  'an unmanaged transaction': async (_work, { sequelize }, failing) => {
    const transaction = await sequelize.transaction()
    const error = await sequelize.query(failing, { transaction }).catch((each: unknown) => each)
    await transaction.rollback()
    return error
  },
  'a savepoint by SQL': async ({ query }, _stage, failing) => {
    await query('SAVEPOINT s')
    const error = await query(failing).catch((each: unknown) => each)
    await query('ROLLBACK TO SAVEPOINT s')
    return error
  },
  'safe-executed work': (_work, { sequelize }, failing) =>
    sequelize.safeExecute(() => sequelize.query(failing), { operationName: 'log', fallbackValue: undefined, logWarning: false }),
}

describe.each(Object.entries(SAVEPOINTS))('an error in %s', (_where, recover) => {
  it.each([
    ['of a lock that is taken', NOWAIT],
    ['of a conflict', raise('40001')],
    ['of a deadlock', raise('40P01')],
    ['of a limit', raise('53200')],
    ['of a cancelled statement', raise('57014')],
  ])('%s is not repeated once the work throws its own', async (_which, failing) => {
    await withStage(async stage => {
      await locked(stage, async () => {
        let tries = 0
        const own = new ConflictError('taken')
        const unit = stage.sequelize.execute('own', async work => {
          tries += 1
          await work.query("INSERT INTO notes VALUES ('b')")
          await recover(work, stage, failing)
          throw own
        })
        await expect(unit).rejects.toBe(own)
        expect(tries).toBe(1)
      })
    })
  })

  it('lets the work go on and commit', async () => {
    await withStage(async stage => {
      await stage.sequelize.execute('on', async work => {
        await recover(work, stage, raise('40001'))
        await work.query("INSERT INTO notes VALUES ('b')")
      })
      expect(await stage.texts()).toEqual(['b'])
    })
  })
})

it("is not repeated under the work's own words either", async () => {
  await withStage(async stage => {
    let tries = 0
    const unit = stage.sequelize.execute('own', async () => {
      tries += 1
      await stage.sequelize
        .transaction(() => stage.sequelize.query(raise('40001')))
        .catch((cause: unknown) => {
          throw new ConflictError('taken', { cause })
        })
    })
    await expect(unit).rejects.toThrow(ConflictError)
    expect(tries).toBe(1)
  })
})

describe('a unit that the server itself ended is repeated whatever the work made of it', () => {
  it.each(['40001', '40P01'])('after %s', async code => {
    await withStage(async ({ sequelize, texts }) => {
      let tries = 0
      await sequelize.execute('again', async ({ query }) => {
        tries += 1
        await query("INSERT INTO notes VALUES ('a')")
        if (tries > 1) return
        await query(raise(code)).catch(() => undefined)
        throw new ConflictError('hidden')
      })
      expect({ tries, texts: await texts() }).toEqual({ tries: 2, texts: ['a'] })
    })
  })

  it('after the loss of its connection', async () => {
    await withStage(async ({ sequelize, database, texts }) => {
      let tries = 0
      await sequelize.execute('again', async ({ query }) => {
        tries += 1
        const [row] = await query<{ pid: number }>("INSERT INTO notes VALUES ('a') RETURNING pg_backend_pid() AS pid")
        if (tries > 1) return
        await database.query('SELECT pg_terminate_backend($1, 1000)', [row?.pid])
        await query('SELECT 1').catch(() => undefined)
        throw new ConflictError('hidden')
      })
      expect({ tries, texts: await texts() }).toEqual({ tries: 2, texts: ['a'] })
    })
  })

  it('and in the end told as thrown', async () => {
    await withStage(async ({ sequelize }) => {
      const own = new ConflictError('hidden')
      let tries = 0
      const unit = sequelize.execute('again', async ({ query }) => {
        tries += 1
        await query(raise('40001')).catch(() => undefined)
        throw own
      })
      await expect(unit).rejects.toBe(own)
      expect(tries).toBeGreaterThan(1)
    })
  })
})

it('a statement that failed for a value of the caller spoils nothing', async () => {
  await withStage(async ({ sequelize, texts }) => {
    let tries = 0
    const circular: Record<string, unknown> = {}
    circular.self = circular
    await sequelize.execute('again', async ({ query }) => {
      tries += 1
      await query('SELECT $value::jsonb', { value: circular }).catch(() => undefined)
      await query("INSERT INTO notes VALUES ('a')")
      if (tries === 1) await query(raise('40001'))
    })
    expect({ tries, texts: await texts() }).toEqual({ tries: 2, texts: ['a'] })
  })
})

it('a unit whose connection the pool gives up is repeated', async () => {
  await withStage(async ({ sequelize, database, texts }) => {
    let tries = 0
    await sequelize.execute('again', async ({ query }) => {
      tries += 1
      const [row] = await query<{ pid: number }>("INSERT INTO notes VALUES ('a') RETURNING pg_backend_pid() AS pid")
      if (tries > 1) return
      await database.query('SELECT pg_terminate_backend($1, 1000)', [row?.pid])
      // Sequelize hears of the end, and the pool ends its part, while the unit still waits for something else.
      await expect.poll(() => sequelize.getConnectionStatus().pool.size).toBe(0)
      await query('SELECT 1')
    })
    expect({ tries, texts: await texts() }).toEqual({ tries: 2, texts: ['a'] })
  })
})
