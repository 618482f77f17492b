import { describe, expect, it } from 'vitest'
import { MOST_ATTEMPTS } from '../../src/inbox/attempt-times.ts'
import { main as maintenance } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { main as webhook } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { call, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { completedTransaction, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const send = (body: string, id: string, remainingMs = 4_000) =>
  call(webhook, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id }) }, { getRemainingTimeInMillis: () => remainingMs })
const maintain = (remainingMs = 20_000) => maintenance({ task: 'maintenance' }, { getRemainingTimeInMillis: () => remainingMs })
const FAILING = "RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'"

/** Has an insert into `transactions` do something else first. */
async function meddle(database: TestDatabase, body: string): Promise<void> {
  await database.query(`CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NEW; END $$`)
  await database.query('CREATE OR REPLACE TRIGGER meddle BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION meddle()')
}
const allDue = (database: TestDatabase) => database.query('UPDATE webhook_events SET next_attempt_at = now() WHERE outcome IS NULL')
const stands = (database: TestDatabase) =>
  database.query(
    `SELECT external_id AS id, outcome, attempts, last_error AS error, round(extract(epoch FROM next_attempt_at - now()) / 60)::int AS minutes
     FROM webhook_events ORDER BY 1`,
  )

/** Runs a test with one event that was deferred. */
async function withDeferred(work: (database: TestDatabase) => Promise<void>): Promise<void> {
  await withFunctions([webhook, maintenance], async database => {
    await meddle(database, FAILING)
    expect(await send(completedTransaction({ transactionId: 'txn_1' }), 'msg_1')).toMatchObject({ body: { outcome: 'deferred' } })
    await work(database)
  })
}

describe('an event that was deferred', () => {
  it('is not tried before it is due, and applied once when it is', async () => {
    await withDeferred(async database => {
      await meddle(database, 'NULL')
      expect(await stands(database)).toMatchObject([{ outcome: null, attempts: 1, minutes: 1 }])
      expect(await maintain()).toMatchObject({ complete: true, attempts: null })
      await allDue(database)
      expect(await maintain()).toMatchObject({ complete: true, attempts: { applied: 1, deferred: 0, parked: 0 } })
      expect(await maintain()).toMatchObject({ attempts: null })
      expect(await stands(database)).toEqual([{ id: 'msg_1', outcome: 'applied', attempts: 2, error: null, minutes: null }])
      expect(await database.query('SELECT external_id FROM transactions')).toEqual([{ external_id: 'txn_1' }])
    })
  })

  it('waits twice as long after each attempt, at most six hours, and is parked after the last', async () => {
    await withDeferred(async database => {
      const minutes: unknown[] = []
      for (let attempt = 2; attempt < MOST_ATTEMPTS; attempt += 1) {
        await allDue(database)
        expect(await maintain(5_000)).toMatchObject({ attempts: { applied: 0, deferred: 1, parked: 0 } })
        minutes.push((await stands(database))[0]?.minutes)
      }
      expect(minutes).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 360, 360])
      await allDue(database)
      expect(await maintain(5_000)).toMatchObject({ attempts: { applied: 0, deferred: 0, parked: 1 } })
      expect(await stands(database)).toMatchObject([{ outcome: 'failed', attempts: MOST_ATTEMPTS, minutes: null }])
    })
  }, 120_000)

  it('is parked when it fails for good', async () => {
    await withDeferred(async database => {
      await meddle(database, "RAISE EXCEPTION 'no'")
      await allDue(database)
      expect(await maintain()).toMatchObject({ attempts: { parked: 1 } })
      expect(await stands(database)).toMatchObject([{ outcome: 'failed', attempts: 2, error: 'P0001', minutes: null }])
    })
  })

  it('is due again when the lease of an attempt that never ended is over, and parked when that goes on', async () => {
    await withDeferred(async database => {
      await meddle(database, 'NULL')
      await database.query("UPDATE webhook_events SET attempts = 7, next_attempt_at = now() + interval '20 s'")
      expect(await maintain()).toMatchObject({ attempts: null })
      await database.query("UPDATE webhook_events SET attempts = $1, next_attempt_at = now() - interval '1 s'", [MOST_ATTEMPTS])
      expect(await maintain()).toMatchObject({ attempts: { applied: 0, parked: 1 } })
      expect(await stands(database)).toMatchObject([{ outcome: 'failed', error: 'attempts-exhausted' }])
    })
  })

  it('is applied by nobody whose lease has ended', async () => {
    await withDeferred(async database => {
      // As soon as it is taken, somebody else has the lease.
      await meddle(database, 'NULL')
      await allDue(database)
      await database.query(`
        CREATE FUNCTION give_away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.outcome IS NULL AND pg_trigger_depth() = 1 THEN
            UPDATE webhook_events SET next_attempt_at = now() + interval '1 h' WHERE id = NEW.id; END IF;
          RETURN NULL; END $$`)
      await database.query('CREATE TRIGGER give_away AFTER UPDATE ON webhook_events FOR EACH ROW EXECUTE FUNCTION give_away()')
      expect(await maintain()).toMatchObject({ attempts: { applied: 0, deferred: 0, parked: 0 } })
      expect(await database.query('SELECT * FROM transactions')).toEqual([])
      expect(await stands(database)).toMatchObject([{ outcome: null, minutes: 60 }])
    })
  })

  it('is parked with its code when its payload cannot be opened any more', async () => {
    await withDeferred(async database => {
      await database.query("UPDATE webhook_events SET body = '\\x0100000000'")
      await allDue(database)
      expect(await maintain()).toMatchObject({ attempts: { parked: 1 } })
      expect(await stands(database)).toMatchObject([{ outcome: 'failed', error: 'payload-damaged' }])
    })
  })
})

describe('several runs at once', () => {
  it('apply every due event once, and wait for none that another holds', async () => {
    await withFunctions(
      [webhook, maintenance],
      async database => {
        await meddle(database, FAILING)
        const ids = Array.from({ length: 12 }, (_, n) => `msg_${n}`)
        const sent = await Promise.all(ids.map(id => send(completedTransaction(), id, 15_000)))
        expect(sent.map(({ statusCode }) => statusCode)).toEqual(ids.map(() => 202))
        await meddle(database, 'NULL')
        await allDue(database)
        await database.query('BEGIN')
        await database.query("SELECT 1 FROM webhook_events WHERE external_id = 'msg_0' FOR UPDATE")
        const reports = (await Promise.all([maintain(), maintain(), maintain()])) as unknown as { attempts: { applied: number } | null }[]
        await database.query('COMMIT')
        expect(reports.reduce((sum, { attempts }) => sum + (attempts?.applied ?? 0), 0)).toBe(11)
        expect(await maintain()).toMatchObject({ attempts: { applied: 1 } })
        expect(await database.query('SELECT count(*)::int AS count FROM transactions')).toEqual([{ count: 12 }])
        expect(await database.query('SELECT DISTINCT attempts, outcome FROM webhook_events')).toEqual([{ attempts: 2, outcome: 'applied' }])
      },
      { DB_POOL_MAX: '12' },
    )
  })
})
