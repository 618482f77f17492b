import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { ask, initialiseTemplate, startFailoverPair, type FailoverPair, type PairOptions } from '../../../postgres-faults/src/failover-pair.ts'
import { databaseUrl, createDatabase } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { ResilientSequelize } from '../../src/index.ts'
import { runtimeOf } from '../../src/runtime.ts'
import { canKnow, resolveCommit } from '../../src/transaction/commit-outcome.ts'
import { askIdentity } from '../../src/wire/identity.ts'

// The address of the database moves to a standby: what that says of a transaction is believed only once it can know.

const DATABASE = 'notes'
const LOOK_AGAIN_MS = 10
const SHORT_MS = 3_000
const LONG_MS = 15_000

let initialised: Awaited<ReturnType<typeof initialiseTemplate>>
beforeAll(async () => {
  initialised = await initialiseTemplate()
})
afterAll(() => initialised.remove())

interface Stage {
  readonly pair: FailoverPair
  /** Reaches the servers through their address. */
  readonly sequelize: ResilientSequelize
  /** The texts that a server has. */
  texts(server: 'primary' | 'standby'): Promise<string[]>
}

type Insert = (sequelize: ResilientSequelize, text: string) => Promise<unknown>

const inUnit: Insert = (sequelize, text) =>
  sequelize.execute('note', async ({ query }) => {
    await query('INSERT INTO notes VALUES ($text)', { text })
  })
const inTransaction: Insert = (sequelize, text) =>
  sequelize.transaction(async transaction => {
    await sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text }, transaction })
  })
const alone: Insert = (sequelize, text) => sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text } })
const WAYS = [
  ['a unit', inUnit],
  ['a transaction', inTransaction],
  ['a stand-alone insert', alone],
] as const

async function withPair(work: (stage: Stage) => Promise<void>, options: PairOptions = {}): Promise<void> {
  const pair = await startFailoverPair(initialised.template, options)
  try {
    await createDatabase(pair.address, DATABASE)
    await ask(pair.primary, 'CREATE TABLE notes (text text)', DATABASE)
    await pair.replayed()
    const sequelize = new ResilientSequelize(databaseUrl(pair.address, DATABASE), { logging: false, pool: { max: 2 } })
    const texts = async (server: 'primary' | 'standby') =>
      (await ask<{ text: string }>(pair[server], 'SELECT text FROM notes ORDER BY text', DATABASE)).map(({ text }) => text)
    try {
      await work({ pair, sequelize, texts })
    } finally {
      await sequelize.gracefulShutdown()
    }
  } finally {
    await pair.stop()
  }
}

/** Runs a call with a deadline; returns `ok` or the code of its error. */
async function within(remainingMs: number, call: () => Promise<unknown>): Promise<string> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  try {
    await runWithDeadline(deadline, call)
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    deadline.clear()
  }
}

const pauseReplay = async ({ standby }: FailoverPair) => {
  await ask(standby, 'SELECT pg_wal_replay_pause()')
  const PAUSED = "SELECT 1 WHERE pg_get_wal_replay_pause_state() = 'paused'"
  while ((await ask(standby, PAUSED)).length === 0) await sleep(LOOK_AGAIN_MS)
}
const resumeReplay = ({ standby }: FailoverPair) => ask(standby, 'SELECT pg_wal_replay_resume()')

/** Resolves when a COMMIT is done and waits for the standby. */
const commitWaits = async ({ primary }: FailoverPair) => {
  while ((await ask(primary, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")).length === 0) await sleep(LOOK_AGAIN_MS)
}

/** Resolves when a server behind the address was asked what became of a transaction. */
const asked = async ({ address }: FailoverPair) => {
  while (!address.statementFlights().some(flight => flight.some(text => text.includes('pg_xact_status')))) await sleep(LOOK_AGAIN_MS)
}

// A COMMIT is answered only once the standby has replayed it.
const SYNCHRONOUS: PairOptions = { primarySettings: { synchronous_standby_names: '*', synchronous_commit: 'remote_apply' } }

describe('a standby that has received COMMIT and not replayed it', () => {
  it.each(WAYS)('is asked until it is promoted: %s is stored once', async (_what, insert) => {
    await withPair(async ({ pair, sequelize, texts }) => {
      await insert(sequelize, 'a')
      await pauseReplay(pair)
      const told = within(LONG_MS, () => insert(sequelize, 'b'))
      await commitWaits(pair)
      await pair.received()
      await pair.primary.stop('immediate')
      pair.moveAddress()
      await asked(pair)
      await resumeReplay(pair)
      await pair.promote()
      expect(await told).toBe('ok')
      expect(await texts('standby')).toEqual(['a', 'b'])
    }, SYNCHRONOUS)
  })

  it.each(WAYS)('leaves the outcome open at the deadline: %s', async (_what, insert) => {
    await withPair(async ({ pair, sequelize, texts }) => {
      await insert(sequelize, 'a')
      await pauseReplay(pair)
      const told = within(SHORT_MS, () => insert(sequelize, 'b'))
      await commitWaits(pair)
      await pair.received()
      await pair.primary.stop('immediate')
      pair.moveAddress()
      expect(await told).toBe('commit-unknown')
      await resumeReplay(pair)
      await pair.promote()
      expect(await texts('standby')).toEqual(['a', 'b'])
      await insert(sequelize, 'c')
      expect(await texts('standby')).toEqual(['a', 'b', 'c'])
    }, SYNCHRONOUS)
  })

  it('is no proof that a row is missing', async () => {
    await withPair(async ({ pair, sequelize, texts }) => {
      runtimeOf(sequelize).manager.stopIdentifyingTransactions()
      await inUnit(sequelize, 'a')
      await pauseReplay(pair)
      const wasCommitted = async () => (await sequelize.query("SELECT 1 FROM notes WHERE text = 'b'"))[0].length > 0
      let tries = 0
      const unit = ({ query }: { query: (text: string) => Promise<object[]> }) => {
        tries += 1
        return query("INSERT INTO notes VALUES ('b')")
      }
      const told = within(SHORT_MS, () => sequelize.execute('note', unit, { wasCommitted }))
      await commitWaits(pair)
      await pair.received()
      await pair.primary.stop('immediate')
      pair.moveAddress()
      expect(await told).toBe('commit-unknown')
      expect(tries).toBe(1)
      await resumeReplay(pair)
      await pair.promote()
      expect(await texts('standby')).toEqual(['a', 'b'])
    }, SYNCHRONOUS)
  })
})

describe('a promoted standby that has lost the end of the log', () => {
  /** Loses the answer of what is sent, and everything from here on for the standby. */
  const loseLog = async ({ pair, sequelize }: Stage, insert: Insert) => {
    await insert(sequelize, 'a')
    await pair.replayed()
    await pair.replication.refuse()
    pair.replication.cutAll('reset')
    const fault = pair.address.addFault({ on: 'statement', matches: insert === alone ? /^INSERT/ : 'COMMIT', when: 'after', action: 'silence' })
    const told = within(LONG_MS, () => insert(sequelize, 'b'))
    await fault.firstFired
    const [found] = await ask<{ id: number }>(pair.primary, "SELECT xmin::text::int AS id FROM notes WHERE text = 'b'", DATABASE)
    await pair.promote()
    return { told, id: found?.id ?? Number.NaN }
  }
  /** Gives ids to others until one of them has this one, and runs. */
  const giveAgain = async ({ standby: { host, port, user, password } }: FailoverPair, id: number) => {
    const client = new pg.Client({ host, port, user, password, database: DATABASE })
    client.on('error', () => undefined)
    await client.connect()
    for (;;) {
      await client.query('BEGIN')
      const { rows } = await client.query<{ id: number }>('SELECT pg_current_xact_id()::text::int AS id')
      if ((rows[0]?.id ?? Number.NaN) >= id) return client
      await client.query('COMMIT')
    }
  }

  it.each(WAYS)('has nothing of it: %s is done again', async (_what, insert) => {
    await withPair(async stage => {
      const { told } = await loseLog(stage, insert)
      stage.pair.moveAddress()
      expect(await told).toBe(insert === inTransaction ? 'database-unavailable' : 'ok')
      // The application's own callback runs once: the application repeats it.
      if (insert === inTransaction) await insert(stage.sequelize, 'b')
      expect(await stage.texts('standby')).toEqual(['a', 'b'])
    })
  })

  it.each(WAYS)('has nothing of it although the id runs again: %s is done again', async (_what, insert) => {
    await withPair(async stage => {
      const { told, id } = await loseLog(stage, insert)
      const other = await giveAgain(stage.pair, id)
      stage.pair.moveAddress()
      expect(await told).toBe(insert === inTransaction ? 'database-unavailable' : 'ok')
      if (insert === inTransaction) await insert(stage.sequelize, 'b')
      await other.end()
      expect(await stage.texts('standby')).toEqual(['a', 'b'])
    })
  })

  it.each(WAYS)('cannot tell whose id it was once that has committed: %s', async (_what, insert) => {
    await withPair(async stage => {
      const { told, id } = await loseLog(stage, insert)
      const other = await giveAgain(stage.pair, id)
      await other.query('COMMIT')
      await other.end()
      stage.pair.moveAddress()
      expect(await told).toBe('commit-unknown')
      expect(await stage.texts('standby')).toEqual(['a'])
    })
  })
})

it('the session of a COMMIT that waits for its standby is not ended', async () => {
  await withPair(
    async ({ pair, sequelize }) => {
      await ask(pair.primary, `ALTER DATABASE ${DATABASE} SET synchronous_commit = on`)
      expect(await within(SHORT_MS, () => inUnit(sequelize, 'a'))).toBe('commit-unknown')
      expect(await ask(pair.primary, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")).toHaveLength(1)
    },
    // No such standby ever comes: only the application's sessions wait for it.
    { primarySettings: { synchronous_standby_names: 'never', synchronous_commit: 'local' } },
  )
})

it('an old primary that still runs is not believed', async () => {
  await withPair(async ({ pair, sequelize, texts }) => {
    await pair.promote()
    pair.moveAddress()
    await inUnit(sequelize, 'a')
    const fault = pair.address.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'silence' })
    const told = within(LONG_MS, () => inUnit(sequelize, 'b'))
    await fault.firstFired
    pair.address.resetCounts()
    pair.address.retarget(pair.primary)
    pair.address.cutAll('reset')
    await asked(pair)
    pair.moveAddress()
    expect(await told).toBe('ok')
    expect(await texts('standby')).toEqual(['a', 'b'])
    expect(await texts('primary')).toEqual([])
  })
})

it('after a crash of the promoted standby the position in its log proves nothing', async () => {
  await withPair(async ({ pair, sequelize }) => {
    const { manager } = runtimeOf(sequelize)
    const outcomeOnStandby = async () => {
      const deadline = openDeadline({ remainingMs: LONG_MS, reserveMs: 0 })
      const { kind } = await resolveCommit({ identity, deadline, lease: () => manager.acquire() })
      deadline.clear()
      return kind
    }
    const identity = await sequelize.execute('note', async ({ query, transaction }) => {
      await query("INSERT INTO notes VALUES ('a')")
      const found = await askIdentity((transaction as unknown as { connection: Parameters<typeof askIdentity>[0] }).connection)
      if (found === undefined) throw new Error('the transaction has no identity')
      return found
    })
    await pair.replayed()
    await pair.promote()
    pair.moveAddress()
    expect(await outcomeOnStandby()).toBe('committed')
    const [session] = await ask<{ pid: number }>(pair.standby, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    process.kill(session?.pid ?? Number.NaN, 'SIGKILL')
    await expect.poll(() => outcomeOnStandby(), { timeout: 10_000 }).toBe('ended')
  })
})

it('another system, and a timeline that was left, are not believed', async () => {
  await withPair(async ({ sequelize }) => {
    const lease = await runtimeOf(sequelize).manager.acquire()
    const identity = await askIdentity(lease.connection)
    if (identity === undefined) throw new Error('the server did not answer')
    const { systemId, timeline } = identity
    expect(timeline).toBe(1)
    const believed = await Promise.all([
      canKnow(lease.connection, { systemId, timeline }, LONG_MS),
      canKnow(lease.connection, { systemId: '1', timeline }, LONG_MS),
      canKnow(lease.connection, { systemId, timeline: 2 }, LONG_MS),
    ])
    expect(believed).toEqual([true, false, false])
    lease.release()
  })
})
