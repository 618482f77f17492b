import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../packages/api/user/index.ts'
import { newTransactionSchema } from '../../lib/app/transactions/schema.ts'
import { showAmount } from '../../lib/app/transactions/view.ts'
import { newUserSchema } from '../../lib/app/users/schema.ts'
import { wrongBalances } from '../support/balances.ts'
import { api, newUser, pay } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { environmentFor, withEnvironment } from '../../lib/functions-devkit/test/support/functions.ts'
import { requestsTo, type Known } from '../support/fuzz/requests.ts'

// `npm run test:full` asks for more.
const RUNS = Number(process.env.FUZZ_RUNS ?? 300)
const LONGEST_MS = 60_000 + RUNS * 50

describe('whatever is sent', () => {
  let database: TestDatabase
  const known: Known[] = []
  const here = <Result>(work: () => Promise<Result>) => withEnvironment(environmentFor(database), work)

  beforeAll(async () => {
    database = await createTestDatabase()
    await here(async () => {
      const users = [await newUser({ externalId: 'usr_1' }), await newUser(), await newUser()]
      for (const user of users) for (const status of ['pending', 'completed']) known.push(await withTransaction(user, status))
    })
  })
  afterAll(async () => {
    await main.shutdown()
    await database.drop()
  })

  it.each(main.operations.map(({ route }) => route))(
    'to %s is answered as the contract says, and never with 500',
    async route => {
      const statuses = new Map<number, number>()
      await here(() =>
        fc.assert(
          fc.asyncProperty(requestsTo(route, known), async ({ route: called, ...request }) => {
            const { statusCode, body } = await api(called, request)
            statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
            if (statusCode >= 500) throw new Error(`${statusCode} ${JSON.stringify(body)}`)
            // Those who are erased make room for others.
            if (statusCode === 204) await replace(called.split('/').at(-1) ?? '')
          }),
          { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_MS - 10_000, markInterruptAsFailure: true },
        ),
      )
      // It proves something only if enough of them get through, and enough do not.
      const passed = [...statuses].reduce((sum, [status, count]) => (status < 300 ? sum + count : sum), 0)
      const all = [...statuses.values()].reduce((sum, count) => sum + count, 0)
      expect(passed / all).toBeGreaterThan(0.01)
      expect(passed / all).toBeLessThan(0.99)
    },
    LONGEST_MS,
  )

  async function replace(gone: string): Promise<void> {
    for (const [index, { user }] of known.entries()) if (user === gone) known[index] = await withTransaction(await newUser(), 'pending')
  }

  async function withTransaction(user: string, status: string): Promise<Known> {
    return { user, transaction: String((await pay(user, { status })).body.id) }
  }

  it('leaves no row that the schemas forbid, and balances that are right', async () => {
    const users = await database.query<Record<string, unknown>>('SELECT email, name, external_id AS "externalId" FROM users WHERE erased_at IS NULL')
    const strip = (row: Record<string, unknown>) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
    expect(users.length).toBeGreaterThan(0)
    expect(users.filter(row => !newUserSchema.safeParse(strip(row)).success)).toEqual([])
    const paid = await database.query<{ amount: string; currency: string; status: string }>('SELECT amount, currency, status FROM transactions')
    const asSent = paid.map(({ amount, currency }) => ({ currency, amount: showAmount(amount, currency) }))
    expect(asSent.filter(row => !newTransactionSchema.safeParse(row).success)).toEqual([])
    expect(await database.query('SELECT 1 FROM users WHERE email <> trim(email) OR name <> trim(name)')).toEqual([])
    expect(await wrongBalances(database)).toEqual([])
  })
})
