import { describe, expect, it } from 'vitest'
import { DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { DatabaseService, Work } from '../../../functions-runtime/src/database/service.ts'
import { erasers } from '../../../functions-devkit/test/application/lib/app/maintenance/erasers.ts'
import type { PrunedTable } from '../../src/maintenance/pruned-table.ts'
import { maintain } from '../../src/maintenance/maintenance.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'

const tables: PrunedTable[] = ['a', 'b', 'c'].map(name => ({ name, table: 'activities' as const, since: 'at', keepMs: 1_000 }))
const plainInbox = { keys: { current: undefined, byId: new Map<never, never>() }, buffer: undefined, sources: new Map<never, never>(), erasers }
const logger = createLogger({ name: 'test', level: 'silent' })

interface Stand {
  /** Rows that are due, by table. */
  due: Record<string, number>
  /** Time that each batch takes, in ms. */
  batchMs?: number
  timeMs?: number
  random?: () => number
  /** Looks that go wrong, by their number. */
  badLooks?: readonly number[]
}

/** Runs maintenance on tables that only count, by a clock that only batches move. */
async function run({ due, batchMs = 0, timeMs = 10_000, random = () => 0, badLooks = [] }: Stand) {
  let nowMs = Date.parse('2026-11-24T12:00:00Z')
  const left = { ...due }
  const batches: string[] = []
  let looks = 0
  const execute = async (name: string, work: (work: Work) => Promise<unknown>) => {
    const query = async (_text: string, bind: Record<string, unknown> = {}) => {
      if (name === 'maintenance.look') {
        looks += 1
        if (badLooks.includes(looks)) throw new DatabaseUnavailableError({ retryAfterMs: 1 })
        return [{ now: 'then', due: tables.map(table => left[table.name] ?? 0) }]
      }
      const table = name.split('.').at(-1) ?? ''
      batches.push(table)
      nowMs += batchMs
      const deleted = Math.min(left[table] ?? 0, Number(bind.rows))
      left[table] = (left[table] ?? 0) - deleted
      return [{ deleted }]
    }
    return work({ query } as unknown as Work)
  }
  const database = { execute: execute as DatabaseService['execute'], hasReported: () => true }
  const deadline = openDeadline({ remainingMs: timeMs, reserveMs: 0, now: () => nowMs })
  const report = await maintain({ ...plainInbox, tables, database, deadline, logger, batchRows: 10, random }).finally(() => deadline.clear())
  return { report, batches: batches.join(''), looks }
}

describe('taking turns', () => {
  it('goes round the tables that have something due, one batch each, until each is done', async () => {
    const { batches, report } = await run({ due: { a: 25, c: 35 } })
    expect(batches).toBe('acacacc')
    expect(report).toMatchObject({ complete: true, pruned: { a: { deleted: 25, left: 0 }, b: { deleted: 0, left: 0 }, c: { deleted: 35, left: 0 } } })
  })

  it('lets chance say which table is first, so that runs with time for one batch reach every table', async () => {
    const due = { a: 100, b: 100, c: 100 }
    const first = [0, 0.34, 0.67, 0.999].map(chance => run({ due, random: () => chance, timeMs: 1_500, batchMs: 700 }))
    expect((await Promise.all(first)).map(({ batches }) => batches)).toEqual(['a', 'b', 'c', 'c'])
  })

  it('begins no batch that has no time, and tells what is left as incomplete', async () => {
    const { batches, report } = await run({ due: { a: 100 }, timeMs: 2_000, batchMs: 300 })
    expect(batches).toBe('aaaa')
    expect(report).toMatchObject({ outcome: 'incomplete', complete: false, pruned: { a: { deleted: 40, left: 60 } } })
  })

  it('asks for the fresh numbers once, and not at all when nothing was due', async () => {
    expect(await run({ due: { a: 10 } })).toMatchObject({ looks: 2 })
    expect(await run({ due: {} })).toMatchObject({ looks: 1, batches: '', report: { complete: true } })
  })

  it('does not claim that nothing is left when the last look failed', async () => {
    expect((await run({ due: { a: 10 }, badLooks: [2] })).report).toMatchObject({
      outcome: 'incomplete',
      pruned: { a: { deleted: 10, left: null }, b: { deleted: 0, left: 0 } },
    })
  })

  it('ends in the error of the database when it is away from the start', async () => {
    await expect(run({ due: {}, badLooks: [1] })).rejects.toMatchObject({ code: 'database-unavailable' })
  })
})
