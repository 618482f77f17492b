import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { databaseUrl, withConnection, type ServerAddress } from '../../src/server/postgres/connection.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { isOfRepository } from './tested-application.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'

/** The template for tests that want to begin without any table. */
export const EMPTY_TEMPLATE = 'template0'

/** The template with every migration of the tested application applied, and no rows. */
export const MIGRATED_TEMPLATE = isOfRepository ? 'template_application' : 'template_packages'

const LONGEST_MIGRATION_MS = 30_000

/** Makes the template unless another worker has made it. */
export async function makeMigratedTemplate(server: ServerAddress): Promise<void> {
  await withConnection(server, 'postgres', async client => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [MIGRATED_TEMPLATE])
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [MIGRATED_TEMPLATE])
    if (rowCount !== 0) return
    // Other workers see it when it is complete.
    const name = `${MIGRATED_TEMPLATE}_unfinished`
    await client.query(`DROP DATABASE IF EXISTS ${name}`)
    await client.query(`CREATE DATABASE ${name}`)
    await migrate(databaseUrl(server, name))
    await postponeMissingSchedule(server, name)
    await client.query(`ALTER DATABASE ${name} RENAME TO ${MIGRATED_TEMPLATE}`)
  })
}

/**
 * Dates the migrations of the template one day ahead. Without a recorded check, health measures from the migrations how long the
 * schedule has been missing, and would warn in a test run of more than 15 minutes.
 */
async function postponeMissingSchedule(server: ServerAddress, database: string): Promise<void> {
  await withConnection(server, database, client => client.query("UPDATE schema_migrations SET applied_at = now() + interval '1 day'"))
}

/** Applies migrations, as the function `ops/migrate` does; by default all of the application under test. */
export async function migrate(url: string, given?: readonly Migration[]): Promise<void> {
  const migrations = given ?? (await import('../../src/application.ts')).application.migrations
  const { database } = readSettings({ database: migrationSettings }, { DB_MIGRATION_URL: url })
  const deadline = openDeadline({ remainingMs: LONGEST_MIGRATION_MS })
  try {
    await applyMigrations({ settings: database, deadline, migrations })
  } finally {
    deadline.clear()
  }
}
