// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import { firstTables } from './2026-11-24-01-first-tables.ts'
import { indexActivitiesByAge } from './2026-11-24-02-index-activities-by-age.ts'
import { webhookInbox } from './2026-11-24-03-webhook-inbox.ts'
import { webhookInboxIndexes } from './2026-11-24-04-webhook-inbox-indexes.ts'
import { indexEventsByUser } from './2026-11-24-05-index-events-by-user.ts'
import { statesAndBalances } from './2026-11-24-06-states-and-balances.ts'
import { apiTables } from './2026-11-24-07-api-tables.ts'
import { apiIndexes } from './2026-11-24-08-api-indexes.ts'
import { eventsByName } from './2026-11-24-09-events-by-name.ts'
import { indexEventsByName } from './2026-11-24-10-index-events-by-name.ts'
import { healthTables } from './2026-11-24-11-health-tables.ts'
import { indexSmokeUsers } from './2026-11-24-12-index-smoke-users.ts'
import { invalidPaths } from './2026-11-29-01-invalid-paths.ts'
import { dueErasures } from './2026-11-29-02-due-erasures.ts'
import { indexDueErasures } from './2026-11-29-03-index-due-erasures.ts'
import { eventOrder } from './2026-11-29-04-event-order.ts'
import { packageMigrations } from './2026-11-30-01-packages.ts'
import { erasedUsers } from './2026-11-30-02-erased-users.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

export const migrations: readonly Migration[] = [
  // Oldest first.
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
  ...packageMigrations,
  erasedUsers,
]
