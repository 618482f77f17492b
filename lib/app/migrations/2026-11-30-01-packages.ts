import { migrations as opsMigrations } from '../../functions-ops/src/migrations/index.ts'
import { migrations as runtimeMigrations } from '../../functions-runtime/src/migrations/index.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'
import { migrations as inboxMigrations } from '../../webhook-inbox/src/migrations/index.ts'

/** The tables of the packages. Migrations before these created some of them, which stay. */
export const packageMigrations: readonly Migration[] = [...runtimeMigrations, ...inboxMigrations, ...opsMigrations]
