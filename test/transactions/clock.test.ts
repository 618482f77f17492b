import { randomUUID } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { createTransaction } from '../../lib/app/transactions/create.ts'
import { recordTransaction } from '../../lib/app/transactions/record.ts'
import { stepTransaction } from '../../lib/app/transactions/step.ts'
import { createClaim } from '../../lib/functions-runtime/src/api/claim.ts'
import type { DatabaseService } from '../../lib/functions-runtime/src/database/service.ts'
import { withService } from '../../lib/functions-devkit/test/support/service.ts'

const activity = { recordActivity: () => Promise.resolve() } as never
const clocks: [what: string, ms: number][] = [
  ['ahead', Date.UTC(2100, 0)],
  ['behind', Date.UTC(2001, 0)],
  ['slightly ahead', Date.now() + 3_600_000],
]
const INSTANTS = `to_jsonb(array[occurred_at, created_at, updated_at]) AS instants`

async function withClock<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ['Date'], now: ms })
  try {
    return await work()
  } finally {
    vi.useRealTimers()
  }
}

async function prepare(service: DatabaseService, status: 'pending' | 'completed') {
  const id = randomUUID()
  await service.execute('prepare', ({ query }) =>
    query("INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($id::uuid, $email, 'Ada', now(), now())", {
      id,
      email: `${id}@example.com`,
    }),
  )
  const key = randomUUID()
  const claim = () => createClaim({ caller: 'test', key, request: [] })
  const create = () =>
    createTransaction(id, { amount: '1.00', currency: 'EUR', externalId: 'txn_1', status }, { claim: claim(), activity, database: service })
  return { userId: id, create }
}

describe("a container's clock that is wrong", () => {
  it.each(clocks)('does not date what the API creates: %s', async (_what, ms) => {
    await withService(async ({ service, database }) => {
      for (const status of ['pending', 'completed'] as const) {
        await database.query('DELETE FROM transactions')
        const { create } = await prepare(service, status)
        const { occurredAt, createdAt, updatedAt } = await withClock(ms, create)
        const [row] = await database.query<{ instants: string[]; off: number }>(
          `SELECT ${INSTANTS}, abs(extract(epoch FROM now() - occurred_at))::float8 AS off FROM transactions`,
        )
        expect(row?.instants.map(at => new Date(at).toISOString())).toEqual([occurredAt, createdAt, updatedAt])
        expect(row?.off).toBeLessThan(600)
        // A repeated request is told the same.
        expect(await create()).toMatchObject({ occurredAt, createdAt, updatedAt })
      }
    })
  })

  it.each(clocks)('does not decide between a step and a report: %s', async (_what, ms) => {
    await withService(async ({ service, database }) => {
      const { userId, create } = await prepare(service, 'pending')
      const { id } = await create()
      const stepped = await withClock(ms, () => stepTransaction({ userId, id }, { status: 'failed' }, { activity, database: service }))
      const [row] = await database.query<{ instants: string[]; later: string; earlier: string }>(
        `SELECT ${INSTANTS}, now() + interval '1 minute' AS later, now() - interval '1 minute' AS earlier FROM transactions`,
      )
      expect(row?.instants.map(at => new Date(at).toISOString())).toEqual([stepped.occurredAt, stepped.createdAt, stepped.updatedAt])
      const status = async () => (await database.query<{ status: string }>('SELECT status FROM transactions'))[0]?.status
      const tell = async (at: string | undefined) => {
        const report = { externalId: 'txn_1', userExternalId: 'usr_1', status: 'completed', amount: '1.00', currency: 'EUR', order: '' } as const
        await service.execute('tell', work => recordTransaction({ ...report, occurredAt: new Date(at ?? 0).toISOString() }, work))
      }
      await tell(row?.earlier)
      expect(await status()).toBe('failed')
      await tell(row?.later)
      expect(await status()).toBe('completed')
    })
  })
})
