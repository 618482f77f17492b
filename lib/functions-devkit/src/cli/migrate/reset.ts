import { application } from '../../application.ts'
import pg from 'pg'
import type { DatabaseSettings } from '../../../../functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../../../functions-runtime/src/database/migrate.ts'
import type { MigrateResult } from '../../../../resilient-sequelize/src/migrate/apply-migrations.ts'
import type { Migration } from '../../../../resilient-sequelize/src/migrate/migration.ts'
import { openDeadline } from '../../../../invocation/src/deadline.ts'
import { connectLocally, type Resolve } from './local-server.ts'

export interface ResetOptions {
  readonly settings: DatabaseSettings
  readonly migrations?: readonly Migration[]
  readonly withinMs: number
  readonly resolve?: Resolve
}

/**
 * Throws away everything that is in a database of this machine and applies all migrations. With a schema other than `public`,
 * which stands beside another application, only what is in that schema.
 * @throws NotLocalError before anything is touched, when the database may be elsewhere
 */
export async function resetDatabase({ settings, migrations = application.migrations, withinMs, resolve }: ResetOptions): Promise<MigrateResult> {
  const { client, settings: local } = await connectLocally(settings, resolve)
  try {
    await (local.schema === 'public' ? dropEverything(client) : dropSchema(client, local.schema))
  } finally {
    await client.end()
  }
  const deadline = openDeadline({ remainingMs: withinMs, reserveMs: 0 })
  try {
    return await applyMigrations({ settings: local, deadline, migrations })
  } finally {
    deadline.clear()
  }
}

async function dropSchema(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${pg.escapeIdentifier(name)} CASCADE`)
}

async function dropEverything(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'",
  )
  await client.query('BEGIN')
  for (const { name } of rows) await client.query(`DROP SCHEMA ${pg.escapeIdentifier(name)} CASCADE`)
  await client.query('CREATE SCHEMA public')
  await client.query('COMMIT')
}
