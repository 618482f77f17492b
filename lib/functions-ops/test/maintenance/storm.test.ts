import { describe, expect, it } from 'vitest'
import { CHAOS_TIMES } from '../../../postgres-faults/src/matrix/times.ts'
import { countRows, slowDown, storeActivities, storeEvents, withMaintenance } from '../../../functions-devkit/test/support/maintenance.ts'
import type { MaintenanceReport } from '../../src/maintenance/maintenance.ts'

// A full run prunes as much as a busy month leaves behind.
const ROWS = CHAOS_TIMES > 1 ? 12_000 : 1_200
const BATCH_ROWS = ROWS / 24

const sum = (reports: readonly MaintenanceReport[], table: string) => reports.reduce((total, { pruned }) => total + (pruned[table]?.deleted ?? 0), 0)

describe('several runs at once', () => {
  it('share the work: every old row is deleted once, by one of them, and no other row', async () => {
    await withMaintenance(
      async ({ database, run, containers }) => {
        await storeEvents(database, ROWS, '61 days')
        await storeEvents(database, 10, '59 days')
        await storeActivities(database, ROWS, '91 days')
        // Long enough that the batches of several runs are under way at the same time.
        await slowDown(database, 'webhook_events', 0.000_1)
        const reports = await Promise.all(containers.map((_, container) => run({ container, batchRows: BATCH_ROWS })))
        expect([sum(reports, 'webhookEvents'), sum(reports, 'activities')]).toEqual([ROWS, ROWS])
        expect(reports.filter(({ pruned }) => (pruned.webhookEvents?.deleted ?? 0) > 0).length).toBeGreaterThan(1)
        expect(reports.flatMap(({ pruned }) => Object.values(pruned).map(({ error }) => error)).filter(Boolean)).toEqual([])
        expect([await countRows(database, 'webhook_events'), await countRows(database, 'activities')]).toEqual([10, 0])
        // One that ended while another still held the last rows does not claim that they are gone.
        expect(await run()).toMatchObject({ outcome: 'complete' })
      },
      { containers: 3 },
    )
  })

  it('pass over rows that somebody holds, without waiting for them, and say that they are left', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, 50, '61 days')
      await database.query('BEGIN')
      await database.query('SELECT 1 FROM webhook_events LIMIT 3 FOR UPDATE')
      expect(await run({ batchRows: 10 })).toMatchObject({
        outcome: 'incomplete',
        complete: false,
        pruned: { webhookEvents: { deleted: 47, left: 3 } },
      })
      await database.query('COMMIT')
      expect(await run()).toMatchObject({ outcome: 'complete', pruned: { webhookEvents: { deleted: 3, left: 0 } } })
    })
  })

  it('do no harm to users who are deleted meanwhile, nor these to them', async () => {
    await withMaintenance(
      async ({ database, run }) => {
        await storeActivities(database, ROWS, '91 days')
        const deleteUsers = async () => {
          for (const { id } of await database.query<{ id: string }>('SELECT id FROM users'))
            await database.query('DELETE FROM users WHERE id = $1', [id])
        }
        const [first, second] = await Promise.all([run({ batchRows: BATCH_ROWS }), run({ container: 1, batchRows: BATCH_ROWS }), deleteUsers()])
        expect([first, second]).not.toContainEqual(expect.objectContaining({ outcome: 'failed' }))
        expect([await countRows(database, 'users'), await countRows(database, 'activities')]).toEqual([0, 0])
      },
      { containers: 2 },
    )
  })
})
