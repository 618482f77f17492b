import { PASSING_MARK } from '../../../functions-devkit/test/application/lib/app/maintenance/pruned-tables.ts'
import { storeActivities, storeChecks, storeCounters, storeErasedUsers, storeEvents } from '../../../functions-devkit/test/support/maintenance.ts'
import { describeAges, describePlans, describePrunedTables } from '../../../functions-devkit/test/support/pruned-tables.ts'

describePrunedTables()

describePlans(async database => {
  await storeEvents(database, 10_000, '10 days')
  await database.query("UPDATE webhook_events SET body = 'x'")
  await storeEvents(database, 50, '61 days')
  await storeActivities(database, 10_000, '10 days')
  await storeActivities(database, 50, '91 days')
  for (const store of [storeChecks, storeCounters]) {
    await store(database, 10_000, '10 days')
    await store(database, 50, '15 days')
  }
  await storeErasedUsers(database, 10_000, { age: '2 days', mark: '' })
  await storeErasedUsers(database, 50, { age: '2 days', mark: PASSING_MARK })
})

describeAges({
  activities: storeActivities,
  health_checks: storeChecks,
  operation_counters: storeCounters,
  users: (database, count, age) => storeErasedUsers(database, count, { age, mark: PASSING_MARK }),
  webhook_events: storeEvents,
})
