import { firstTables } from './2026-11-24-first-tables.ts'
import { erasedUsers } from './2026-11-30-erased-users.ts'
import { migrations as opsMigrations } from '../../../../../../functions-ops/src/migrations/index.ts'
import { migrations as runtimeMigrations } from '../../../../../../functions-runtime/src/migrations/index.ts'
import { migrations as inboxMigrations } from '../../../../../../webhook-inbox/src/migrations/index.ts'
import type { Migration } from '../../../../../../resilient-sequelize/src/migrate/migration.ts'

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [firstTables, ...runtimeMigrations, ...inboxMigrations, ...opsMigrations, erasedUsers]
