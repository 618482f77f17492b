import { migrations } from '../../../app/migrations/index.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'

/** The database that test databases are copied from: every migration applied, no rows. */
export const MIGRATED_TEMPLATE = 'template_migrated'
/** The one for tests that want to begin without any table. */
export const EMPTY_TEMPLATE = 'template0'

const LONGEST_MIGRATION_MS = 30_000

/** Applies migrations, as the function `ops/migrate` does; by default all of the application. */
export async function migrate(url: string, of: readonly Migration[] = migrations): Promise<void> {
  const { database } = readSettings({ database: migrationSettings }, { DB_MIGRATION_URL: url })
  const deadline = openDeadline({ remainingMs: LONGEST_MIGRATION_MS })
  try {
    await applyMigrations({ settings: database, deadline, migrations: of })
  } finally {
    deadline.clear()
  }
}
