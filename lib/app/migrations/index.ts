import { apiIndexes } from './2026-11-24-api-indexes.ts'
import { apiTables } from './2026-11-24-api-tables.ts'
import { eventsByName } from './2026-11-24-events-by-name.ts'
import { firstTables } from './2026-11-24-first-tables.ts'
import { healthTables } from './2026-11-24-health-tables.ts'
import { indexActivitiesByAge } from './2026-11-24-index-activities-by-age.ts'
import { indexEventsByName } from './2026-11-24-index-events-by-name.ts'
import { indexEventsByUser } from './2026-11-24-index-events-by-user.ts'
import { indexSmokeUsers } from './2026-11-24-index-smoke-users.ts'
import { statesAndBalances } from './2026-11-24-states-and-balances.ts'
import { webhookInboxIndexes } from './2026-11-24-webhook-inbox-indexes.ts'
import { webhookInbox } from './2026-11-24-webhook-inbox.ts'
import { dueErasures } from './2026-11-29-due-erasures.ts'
import { eventOrder } from './2026-11-29-event-order.ts'
import { indexDueErasures } from './2026-11-29-index-due-erasures.ts'
import { invalidPaths } from './2026-11-29-invalid-paths.ts'
import { erasedUsers } from './2026-11-30-erased-users.ts'
import { migrations as opsMigrations } from '../../functions-ops/src/migrations/index.ts'
import { migrations as runtimeMigrations } from '../../functions-runtime/src/migrations/index.ts'
import { migrations as inboxMigrations } from '../../webhook-inbox/src/migrations/index.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [
  firstTables,
  indexActivitiesByAge,
  webhookInbox,
  webhookInboxIndexes,
  indexEventsByUser,
  statesAndBalances,
  apiTables,
  apiIndexes,
  eventsByName,
  indexEventsByName,
  healthTables,
  indexSmokeUsers,
  invalidPaths,
  dueErasures,
  indexDueErasures,
  eventOrder,
  ...runtimeMigrations,
  ...inboxMigrations,
  ...opsMigrations,
  erasedUsers,
]
