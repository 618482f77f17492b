import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { DatabaseService, Work } from '../../lib/functions-runtime/src/database/service.ts'
import { recordTransaction } from '../../lib/app/transactions/record.ts'
import { recordUser } from '../../lib/app/users/record.ts'
import { wrongBalances } from '../support/balances.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { withService } from '../../lib/functions-devkit/test/support/service.ts'

type Told = readonly ['completed' | 'failed' | 'refunded', second: number, amount?: string, currency?: string]

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

const introduce = (externalId: string, work: Work) =>
  recordUser({ userId: externalId, email: `${externalId}@example.com`, name: 'Ada' }, { occurredAt: at(0), order: '', isChange: false }, work)

const tell = (service: DatabaseService, [status, second, amount = '10.00', currency = 'EUR']: Told, transactionId = 'txn_1', userId = 'usr_1') =>
  service.execute('tell', work =>
    recordTransaction({ externalId: transactionId, userExternalId: userId, status, amount, currency, occurredAt: at(second), order: '' }, work),
  )
const stored = (database: TestDatabase) => database.query('SELECT status, amount, currency, user_id FROM transactions')
const balances = async (database: TestDatabase) => {
  const rows = await database.query<{ currency: string; amount: string }>('SELECT currency, amount FROM balances WHERE amount <> 0 ORDER BY currency')
  return rows.map(({ currency, amount }) => `${amount} ${currency}`)
}

describe('events of a transaction', () => {
  it.each<[string, Told[], string, string[]]>([
    ['a completion', [['completed', 1]], 'completed', ['10.0000 EUR']],
    [
      'the same completion twice',
      [
        ['completed', 1],
        ['completed', 1],
      ],
      'completed',
      ['10.0000 EUR'],
    ],
    ['a failure', [['failed', 1]], 'failed', []],
    [
      'a refund after the completion',
      [
        ['completed', 1],
        ['refunded', 2],
      ],
      'refunded',
      [],
    ],
    [
      'a refund before the completion',
      [
        ['refunded', 2],
        ['completed', 1],
      ],
      'refunded',
      [],
    ],
    [
      'a failure that was settled later',
      [
        ['failed', 1],
        ['completed', 2],
      ],
      'completed',
      ['10.0000 EUR'],
    ],
    [
      'the same the other way round',
      [
        ['completed', 2],
        ['failed', 1],
      ],
      'completed',
      ['10.0000 EUR'],
    ],
    [
      'a completion that was withdrawn',
      [
        ['completed', 1],
        ['failed', 2],
      ],
      'failed',
      [],
    ],
    [
      'a correction of the amount',
      [
        ['completed', 1],
        ['completed', 2, '12.50'],
      ],
      'completed',
      ['12.5000 EUR'],
    ],
    [
      'a correction of the currency',
      [
        ['completed', 2, '9.00', 'USD'],
        ['completed', 1],
      ],
      'completed',
      ['9.0000 USD'],
    ],
  ])('leave the state and the balance of the newest: %s', async (_what, told, status, expected) => {
    await withService(async ({ service, database }) => {
      const { userId: id } = await service.execute('introduce', work => introduce('usr_1', work))
      for (const one of told) expect(await tell(service, one)).toEqual({ userId: id, erased: false })
      expect(await stored(database)).toMatchObject([{ status, user_id: id }])
      expect(await balances(database)).toEqual(expected)
    })
  })

  it('that come before their user are joined to it, with the balance in each currency', async () => {
    await withService(async ({ service, database }) => {
      expect(await tell(service, ['completed', 1])).toEqual({ userId: null, erased: false })
      await tell(service, ['completed', 1, '2.50'], 'txn_2')
      await tell(service, ['completed', 1, '700', 'JPY'], 'txn_3')
      await tell(service, ['failed', 1], 'txn_4')
      expect(await balances(database)).toEqual([])
      const { userId: id } = await service.execute('introduce', work => introduce('usr_1', work))
      expect((await stored(database)).map(row => row.user_id as string)).toEqual([id, id, id, id])
      expect(await balances(database)).toEqual(['12.5000 EUR', '700.0000 JPY'])
    })
  })

  const told: [user: string, order: string, second: number][] = [
    ['usr_1', 'a', 1],
    ['usr_2', 'b', 1],
    ['usr_3', '', 0],
  ]
  it.each<[string, (1 | 2 | 3)[], 'known' | 'introduced later' | 'erased']>([
    ['known', [1, 2, 3], 'known'],
    ['known, the newest first', [2, 3, 1], 'known'],
    ['known, the newest last', [3, 1, 2], 'known'],
    ['introduced later', [1, 2, 3], 'introduced later'],
    ['introduced later, the newest first', [2, 1, 3], 'introduced later'],
    ['erased', [1, 3, 2], 'erased'],
    ['erased, the newest first', [2, 1, 3], 'erased'],
  ])('that name different users leave the user of the newest: %s', async (_what, order, newest) => {
    await withService(async ({ service, database }) => {
      const names = ['usr_1', 'usr_2', 'usr_3']
      const introduceAll = async () => {
        for (const name of names) await service.execute('introduce', work => introduce(name, work))
      }
      if (newest !== 'introduced later') await introduceAll()
      if (newest === 'erased') await database.query("UPDATE users SET email = NULL, name = NULL, erased_at = now() WHERE external_id = 'usr_2'")
      for (const which of order) {
        const [userExternalId, place, second] = told[which - 1] ?? ['', '', 0]
        const report = { externalId: 'txn_1', userExternalId, status: 'completed', amount: '10', currency: 'EUR', occurredAt: at(second) } as const
        await service.execute('tell', work => recordTransaction({ ...report, order: place }, work))
      }
      if (newest === 'introduced later') await introduceAll()
      const users = await database.query(
        'SELECT users.external_id AS user, user_external_id AS name FROM transactions LEFT JOIN users ON users.id = user_id',
      )
      expect(users).toEqual([newest === 'erased' ? { user: null, name: null } : { user: 'usr_2', name: 'usr_2' }])
      expect(await balances(database)).toEqual(newest === 'erased' ? [] : ['10.0000 EUR'])
      expect(await wrongBalances(database)).toEqual([])
    })
  })

  it('of a transaction that the API made leave it with its user', async () => {
    await withService(async ({ service, database }) => {
      for (const name of ['usr_1', 'usr_2']) await service.execute('introduce', work => introduce(name, work))
      await database.query(
        `INSERT INTO transactions (id, external_id, user_id, amount, currency, status, occurred_at, created_at, updated_at)
         SELECT gen_random_uuid(), 'txn_1', id, 10, 'EUR', 'pending', now(), now(), now() FROM users WHERE external_id = 'usr_1'`,
      )
      await tell(service, ['completed', 1], 'txn_1', 'usr_2')
      expect(await database.query('SELECT users.external_id AS user, status FROM transactions JOIN users ON users.id = user_id')).toEqual([
        { user: 'usr_1', status: 'completed' },
      ])
      expect(await wrongBalances(database)).toEqual([])
    })
  })

  it('that name two users and come at once, in both orders, end the same and never deadlock', async () => {
    await withService(
      async ({ service, database }) => {
        for (const name of ['usr_1', 'usr_2']) await service.execute('introduce', work => introduce(name, work))
        const deadlocks = () => database.query('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()')
        const before = await deadlocks()
        const reports = Array.from({ length: 20 }, (_, index) => index).flatMap(index =>
          [1, 2].map(second => ({
            externalId: `txn_${index}`,
            userExternalId: `usr_${index % 2 === 0 ? second : 3 - second}`,
            occurredAt: at(second),
          })),
        )
        const facts = { status: 'completed', amount: '1', currency: 'EUR', order: '' } as const
        await Promise.all(reports.map(report => service.execute('tell', work => recordTransaction({ ...report, ...facts }, work))))
        expect(await wrongBalances(database)).toEqual([])
        expect(await balances(database)).toEqual(['10.0000 EUR', '10.0000 EUR'])
        expect(await deadlocks()).toEqual(before)
      },
      { profile: { pool: { max: 6, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })

  it('of somebody who was erased are kept without any link', async () => {
    await withService(async ({ service, database }) => {
      await service.execute('introduce', work => introduce('usr_1', work))
      await database.query('UPDATE users SET email = NULL, name = NULL, erased_at = now()')
      expect(await tell(service, ['completed', 1])).toEqual({ userId: null, erased: true })
      expect(await service.execute('introduce', work => introduce('usr_1', work))).toEqual({ userId: null, erased: true })
      expect(await database.query('SELECT email FROM users')).toEqual([{ email: null }])
      expect(await database.query('SELECT status, user_id, user_external_id FROM transactions')).toEqual([
        { status: 'completed', user_id: null, user_external_id: null },
      ])
      expect(await balances(database)).toEqual([])
    })
  })

  it('that come while their user is being introduced are joined to it, whoever is first', async () => {
    await withService(
      async ({ service, database }) => {
        const names = Array.from({ length: 20 }, () => `usr_${randomUUID()}`)
        await Promise.all(
          names.flatMap(name => [
            tell(service, ['completed', 1], `txn_a_${name}`, name),
            service.execute('introduce', work => introduce(name, work)),
            tell(service, ['completed', 1], `txn_b_${name}`, name),
          ]),
        )
        expect(await database.query('SELECT 1 FROM transactions WHERE user_id IS NULL')).toEqual([])
        expect(await wrongBalances(database)).toEqual([])
        expect(await database.query('SELECT 1 FROM balances WHERE amount = 20')).toHaveLength(20)
      },
      { profile: { pool: { max: 6, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })

  it('that come all at once, in any order, move the balance exactly', async () => {
    await withService(
      async ({ service, database }) => {
        await service.execute('introduce', work => introduce('usr_1', work))
        const told = Array.from({ length: 20 }, (_, index): [Told, string][] => [
          [['completed', 1, `${index + 1}.01`], `txn_${index}`],
          [['completed', 1, `${index + 1}.01`], `txn_${index}`],
          [[index % 2 === 0 ? 'refunded' : 'failed', index % 4 === 1 ? 0 : 2], `txn_${index}`],
        ]).flat()
        await Promise.all(told.map(([one, transactionId]) => tell(service, one, transactionId)))
        expect(await wrongBalances(database)).toEqual([])
        // Those that failed before they were completed: 1, 5, 9, 13 and 17.
        expect(await balances(database)).toEqual(['50.0500 EUR'])
      },
      { profile: { pool: { max: 6, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })

  it('cost one trip, COMMIT aside', async () => {
    await withService(async ({ service, proxy }) => {
      await service.execute('introduce', work => introduce('usr_1', work))
      proxy.resetCounts()
      await tell(service, ['completed', 1])
      expect(proxy.counts().roundTrips).toBe(2)
    })
  })
})
