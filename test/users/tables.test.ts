import { expect, it } from 'vitest'
import { SMOKE_MARK } from '../../lib/app/users/smoke-mark.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { countRows, storeActivities, storeErasedUsers, withMaintenance } from '../../lib/functions-devkit/test/support/maintenance.ts'
import { describeAges, describePlans, packageFills } from '../../lib/functions-devkit/test/support/pruned-tables.ts'

/** Stores idempotency keys of no user in particular. */
async function storeKeys(database: TestDatabase, count: number, created: string): Promise<void> {
  await database.query(
    `INSERT INTO idempotency_keys (id, caller, key, user_id, created_at)
     SELECT gen_random_uuid(), 'test', gen_random_uuid()::text, gen_random_uuid(), now() - $2::interval FROM generate_series(1, $1::int)`,
    [count, created],
  )
}

describePlans({
  ...packageFills,
  async activities(database) {
    await storeActivities(database, 10_000, '10 days')
    await storeActivities(database, 50, '91 days')
  },
  async idempotency_keys(database) {
    await storeKeys(database, 10_000, '1 hour')
    await storeKeys(database, 50, '2 days')
  },
  async users(database) {
    await storeErasedUsers(database, 10_000, { age: '2 days', mark: '' })
    await storeErasedUsers(database, 50, { age: '2 days', mark: SMOKE_MARK })
  },
})

describeAges({
  activities: storeActivities,
  idempotency_keys: storeKeys,
  users: (database, count, age) => storeErasedUsers(database, count, { age, mark: SMOKE_MARK }),
})

it('maintenance keeps the tombstone of a user unless a smoke test made it', async () => {
  await withMaintenance(async ({ database, run }) => {
    await storeErasedUsers(database, 2, { age: '400 days', mark: 'shop-' })
    await storeErasedUsers(database, 3, { age: '2 days', mark: SMOKE_MARK })
    await storeErasedUsers(database, 1, { age: '1 hour', mark: SMOKE_MARK })
    await database.query(
      "INSERT INTO users (id, external_id, email, name, created_at, updated_at) VALUES (gen_random_uuid(), $1, 'a@example.com', 'A', now(), now())",
      [`${SMOKE_MARK}alive`],
    )
    expect(await run()).toMatchObject({ complete: true, pruned: { smokeUsers: { deleted: 3, left: 0 } } })
    expect(await countRows(database, 'users')).toBe(4)
  })
})

it('maintenance deletes old activities and keys, and keeps users', async () => {
  await withMaintenance(async ({ database, run }) => {
    await storeActivities(database, 330, '91 days')
    await storeActivities(database, 4, '89 days')
    await storeKeys(database, 3, '2 days')
    expect(await run({ batchRows: 100 })).toMatchObject({
      outcome: 'complete',
      erased: { events: null, activities: null },
      pruned: { activities: { deleted: 330, left: 0 }, idempotencyKeys: { deleted: 3, left: 0 } },
    })
    expect([await countRows(database, 'activities'), await countRows(database, 'users')]).toEqual([4, 5])
  })
})
