import { expect, it } from 'vitest'
import { PASSING_MARK } from '../../../functions-devkit/test/application/lib/app/maintenance/pruned-tables.ts'
import {
  storeActivities,
  storeChecks,
  storeCounters,
  storeErasedUsers,
  storeEvents,
  tables,
} from '../../../functions-devkit/test/support/maintenance.ts'
import {
  describeAges,
  describePlans,
  describePrunedTables,
  packageFills,
  type Fills,
  type Stores,
} from '../../../functions-devkit/test/support/pruned-tables.ts'

const fills = {
  ...packageFills,
  async activities(database) {
    await storeActivities(database, 10_000, '10 days')
    await storeActivities(database, 50, '91 days')
  },
  async users(database) {
    await storeErasedUsers(database, 10_000, { age: '2 days', mark: '' })
    await storeErasedUsers(database, 50, { age: '2 days', mark: PASSING_MARK })
  },
} satisfies Fills

const stores = {
  activities: storeActivities,
  health_checks: storeChecks,
  operation_counters: storeCounters,
  users: (database, count, age) => storeErasedUsers(database, count, { age, mark: PASSING_MARK }),
  webhook_events: storeEvents,
} satisfies Stores

describePrunedTables()
describePlans(fills)
describeAges(stores)

it('each pruned table is filled for these tests', () => {
  const pruned = [...new Set(tables.map(({ table }) => table))].sort()
  expect([Object.keys(fills).sort(), Object.keys(stores).sort()]).toEqual([pruned, pruned])
})
