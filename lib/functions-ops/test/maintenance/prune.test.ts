import { describe, expect, it } from 'vitest'
import { COUNTED_ROWS } from '../../src/maintenance/look-for-due.ts'
import { pruneBatch } from '../../src/maintenance/prune-batch.ts'
import type { PrunedTable } from '../../src/maintenance/pruned-table.ts'
import { PASSING_MARK } from '../../../functions-devkit/test/application/lib/app/maintenance/pruned-tables.ts'
import {
  countRows,
  plainInbox,
  slowDown,
  storeActivities,
  storeErasedUsers,
  storeEvents,
  tables,
  withMaintenance,
} from '../../../functions-devkit/test/support/maintenance.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'
import { maintain } from '../../src/maintenance/maintenance.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'

const left = { deleted: 0, left: 0 }
const nothing = {
  webhookPayloads: left,
  unattributedPayloads: left,
  webhookEvents: left,
  activities: left,
  healthChecks: left,
  operationCounters: left,
  passingUsers: left,
}

describe('pruning', () => {
  it('deletes what is old enough from every table, in several batches, and nothing that is younger or still to be processed', async () => {
    await withMaintenance(async ({ database, run, lines }) => {
      await storeEvents(database, 250, '61 days')
      await storeEvents(database, 3, '59 days')
      await storeEvents(database, 2, null)
      await storeActivities(database, 330, '91 days')
      await storeActivities(database, 4, '89 days')
      expect(await run({ batchRows: 100 })).toEqual({
        outcome: 'complete',
        complete: true,
        buffer: null,
        attempts: null,
        erased: { activities: null },
        pruned: { ...nothing, webhookEvents: { deleted: 250, left: 0 }, activities: { deleted: 330, left: 0 } },
      })
      expect([await countRows(database, 'webhook_events'), await countRows(database, 'activities'), await countRows(database, 'users')]).toEqual([
        5, 4, 5,
      ])
      expect(await database.query('SELECT count(*)::int AS open FROM webhook_events WHERE processed_at IS NULL')).toEqual([{ open: 2 }])
      expect(lines.filter(({ event }) => event === 'maintenance.pruned')).toMatchObject([{ deleted: { webhookEvents: 250, activities: 330 } }])
      expect(await run()).toEqual({
        outcome: 'complete',
        complete: true,
        buffer: null,
        attempts: null,
        erased: { activities: null },
        pruned: nothing,
      })
    })
  })

  it('keeps a row that no pruned table means', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeErasedUsers(database, 2, { age: '400 days', mark: 'shop-' })
      await storeErasedUsers(database, 3, { age: '2 days', mark: PASSING_MARK })
      await storeErasedUsers(database, 1, { age: '1 hour', mark: PASSING_MARK })
      await database.query(
        "INSERT INTO users (id, external_id, email, name, created_at, updated_at) VALUES (gen_random_uuid(), $1, 'a@example.com', 'A', now(), now())",
        [`${PASSING_MARK}alive`],
      )
      expect(await run()).toMatchObject({ complete: true, pruned: { ...nothing, passingUsers: { deleted: 3, left: 0 } } })
      expect(await countRows(database, 'users')).toBe(4)
    })
  })

  it('keeps young rows when the condition of the table contains OR', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeErasedUsers(database, 2, { age: '2 days', mark: 'a-' })
      await storeErasedUsers(database, 3, { age: '2 days', mark: 'b-' })
      await storeErasedUsers(database, 5, { age: '1 hour', mark: 'a-' })
      await storeErasedUsers(database, 7, { age: '1 hour', mark: 'b-' })
      await storeErasedUsers(database, 11, { age: '2 days', mark: 'c-' })
      const either: PrunedTable = {
        name: 'either',
        table: 'users',
        since: 'erased_at',
        only: "external_id LIKE 'a-%' OR external_id LIKE 'b-%'",
        keepMs: 86_400_000,
      }
      expect(await run({ tables: [either] })).toMatchObject({ complete: true, pruned: { either: { deleted: 5, left: 0 } } })
      expect(await countRows(database, 'users')).toBe(23)
    })
  })

  it('takes the payload of an event first, and keeps its id until the sender cannot send it again', async () => {
    await withMaintenance(async ({ database, run }) => {
      for (const days of [29, 31, 59, 61]) await storeEvents(database, 1, `${days} days`)
      await storeEvents(database, 1, null)
      await database.query("UPDATE webhook_events SET body = 'x', headers = '{}', concerns = 'usr_1'")
      expect(await run()).toMatchObject({ complete: true, pruned: { webhookPayloads: { left: 0 }, webhookEvents: { deleted: 1, left: 0 } } })
      const ages =
        'SELECT round(extract(epoch FROM now() - processed_at) / 86400)::int AS days, body IS NULL AND headers IS NULL AND concerns IS NULL AS cleared'
      expect(await database.query(`${ages} FROM webhook_events ORDER BY 1`)).toEqual([
        { days: 29, cleared: false },
        { days: 31, cleared: true },
        { days: 59, cleared: true },
        { days: null, cleared: false },
      ])
      expect(await run()).toMatchObject({ complete: true, pruned: nothing })
    })
  })

  it.each([
    ['is ignored', 'ignored', 'ignored'],
    ['is applied', 'applied', 'applied'],
    ['is parked, and ends it', 'failed', 'ignored'],
    ['is still to be tried, and keeps it', null, null],
  ])('clears an old payload without a known user from an event that %s', async (_what, before, after) => {
    await withMaintenance(async ({ database, run }) => {
      await database.query(
        `INSERT INTO webhook_events (id, source, external_id, type, received_at, processed_at, outcome, body, headers, concerns, user_id)
         SELECT gen_random_uuid(), 'demo', name, 't', now() - age, CASE WHEN $1 <> 'failed' THEN now() - age END, $1, 'x', '{}', concerns, NULL
         FROM (VALUES ('old', interval '8 days', NULL), ('young', interval '6 days', NULL), ('of-a-user', interval '8 days', 'usr_1')) AS given (name, age, concerns)`,
        [before],
      )
      const cleared = before === null ? 0 : 1
      expect(await run()).toMatchObject({ pruned: { ...nothing, unattributedPayloads: { deleted: cleared, left: 0 } } })
      expect(await database.query('SELECT external_id AS id, outcome, body IS NULL AS cleared FROM webhook_events ORDER BY 1')).toEqual([
        { id: 'of-a-user', outcome: before, cleared: false },
        { id: 'old', outcome: after, cleared: before !== null },
        { id: 'young', outcome: before, cleared: false },
      ])
    })
  })

  it("goes by the database's clock, not by the container's", async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, 2, '59 days')
      const realNow = Date.now
      try {
        // Everything that reads the container's clock from here on is two days ahead.
        Date.now = () => realNow() + 2 * 24 * 60 * 60 * 1000
        expect(await run()).toMatchObject({ complete: true, pruned: nothing })
      } finally {
        Date.now = realNow
      }
    })
  })

  it('deletes the oldest first', async () => {
    await withMaintenance(async ({ database, containers: [container] }) => {
      for (const days of [70, 90, 80]) await storeEvents(database, 1, `${days} days`)
      const table = tables.find(({ name }) => name === 'webhookEvents')
      if (!container || !table) throw new Error('there is nothing to prune')
      await pruneBatch(table, { database: container.service, now: new Date().toISOString(), rows: 2 })
      expect(await database.query("SELECT (processed_at > now() - interval '71 days') AS youngest FROM webhook_events")).toEqual([{ youngest: true }])
    })
  })

  it('is one statement and one trip when nothing is old enough', async () => {
    await withService(async ({ proxy, service }) => {
      const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
      const logger = { info: () => undefined, warn: () => undefined } as never
      await maintain({ ...plainInbox, tables, database: service, deadline, logger })
      proxy.resetCounts()
      expect(await maintain({ ...plainInbox, tables, database: service, deadline, logger })).toMatchObject({ complete: true })
      expect(proxy.counts()).toMatchObject({ connections: 0, roundTrips: 1 })
      deadline.clear()
    })
  })

  it('stops when its time is over, answers that it is incomplete, and the next runs go on to the end', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, 400, '61 days')
      await slowDown(database, 'webhook_events', 0.005)
      const runs = [await run({ batchRows: 20, timeMs: 2_500 })]
      expect(runs[0]).toMatchObject({ outcome: 'incomplete', complete: false })
      expect(runs[0]).not.toHaveProperty('error')
      while (runs.at(-1)?.complete === false) runs.push(await run({ batchRows: 20, timeMs: 2_500 }))
      const deleted = runs.map(({ pruned }) => pruned.webhookEvents?.deleted ?? 0)
      const left = runs.map(({ pruned }) => pruned.webhookEvents?.left)
      expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(400)
      expect(left).toEqual(deleted.map((_, index) => 400 - deleted.slice(0, index + 1).reduce((sum, count) => sum + count, 0)))
    })
  })

  it('takes smaller batches when one does not fit into its time, and loses nothing of what was done', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, 120, '61 days')
      await slowDown(database, 'webhook_events', 0.01)
      expect(await run({ batchRows: 100, batchMs: 700 })).toMatchObject({ complete: true, pruned: { webhookEvents: { deleted: 120, left: 0 } } })
    })
  })

  it('lets a slow table keep no other from its turn, whichever is first', async () => {
    for (const random of [() => 0, () => 0.999]) {
      await withMaintenance(async ({ database, run }) => {
        await storeEvents(database, 1_000, '61 days')
        await storeActivities(database, 30, '91 days')
        await slowDown(database, 'webhook_events', 0.02)
        const report = await run({ random, timeMs: 2_500 })
        expect(report).toMatchObject({ outcome: 'incomplete', pruned: { activities: { deleted: 30, left: 0 } } })
        expect(report.pruned.webhookEvents?.left).toBeGreaterThan(0)
      })
    }
  })

  it('counts what is left no further than it tells', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, COUNTED_ROWS + 500, '61 days')
      await slowDown(database, 'webhook_events', 0.05)
      expect((await run({ batchRows: 5, timeMs: 2_500 })).pruned.webhookEvents?.left).toBe(COUNTED_ROWS)
    })
  })
})
