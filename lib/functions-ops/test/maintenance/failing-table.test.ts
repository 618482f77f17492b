import { describe, expect, it } from 'vitest'
import { main } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { countRows, refuseDeletes, storeActivities, storeEvents, withMaintenance } from '../../../functions-devkit/test/support/maintenance.ts'

const context = { getRemainingTimeInMillis: () => 60_000 }

describe('a table that cannot be pruned', () => {
  it('is named with its code when it is missing, and the other is pruned', async () => {
    await withFunctions([main], async database => {
      await storeEvents(database, 20, '61 days')
      await database.query('DROP TABLE activities')
      expect(await main({}, context)).toEqual({
        outcome: 'failed',
        complete: false,
        buffer: null,
        attempts: null,
        erased: { activities: null },
        pruned: {
          webhookPayloads: { deleted: 0, left: 0 },
          unattributedPayloads: { deleted: 0, left: 0 },
          webhookEvents: { deleted: 20, left: 0 },
          activities: { deleted: 0, left: null, error: '42P01' },
          healthChecks: { deleted: 0, left: 0 },
          operationCounters: { deleted: 0, left: 0 },
          passingUsers: { deleted: 0, left: 0 },
        },
        error: { code: 'maintenance-failed', detail: 'Not pruned: activities.' },
      })
    })
  })

  it('is named when it refuses, is logged, and the other is pruned', async () => {
    await withMaintenance(async ({ database, run, lines }) => {
      await storeEvents(database, 20, '61 days')
      await storeActivities(database, 20, '91 days')
      await refuseDeletes(database, 'webhook_events')
      expect(await run({ batchRows: 10 })).toMatchObject({
        outcome: 'failed',
        pruned: { webhookEvents: { deleted: 0, left: 20, error: 'P0001' }, activities: { deleted: 20, left: 0 } },
      })
      expect(lines.filter(({ event }) => event === 'maintenance.prune.failed')).toMatchObject([{ table: 'webhook_events', code: 'P0001' }])
    })
  })

  it('keeps no other waiting when it is locked, and is pruned once it is free', async () => {
    await withMaintenance(async ({ database, run }) => {
      await storeEvents(database, 20, '61 days')
      await storeActivities(database, 20, '91 days')
      await database.query('BEGIN')
      await database.query('LOCK TABLE activities IN ACCESS EXCLUSIVE MODE')
      const locked = await run({ timeMs: 4_000 })
      expect(locked).toMatchObject({ outcome: 'failed', pruned: { webhookEvents: { deleted: 20, left: 0 }, activities: { deleted: 0, left: null } } })
      expect(locked.pruned.activities?.error).toMatch(/^(deadline-exceeded|database-busy)$/)
      await database.query('COMMIT')
      expect(await run()).toMatchObject({ outcome: 'complete', pruned: { activities: { deleted: 20, left: 0 } } })
      expect(await countRows(database, 'activities')).toBe(0)
    })
  })

  it('is not what it is called when the whole database is away', async () => {
    await withFunctions(
      [main],
      async () => {
        expect(await main({}, { getRemainingTimeInMillis: () => 2_500 })).toMatchObject({ error: { code: 'database-unavailable', status: 503 } })
      },
      { DB_PORT: '1' },
    )
  })
})
