import type { DatabaseSettings } from './settings.ts'
import { pgTls } from '../settings/tls.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { applyMigrations as apply, type MigrateResult } from '../../../resilient-sequelize/src/migrate/apply-migrations.ts'
import type { Cures } from '../../../resilient-sequelize/src/migrate/cures.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { LOST_CLIENT_OPTIONS } from '../../../resilient-sequelize/src/wire/limits.ts'

export interface MigrateOptions {
  settings: DatabaseSettings
  deadline: Deadline
  migrations: readonly Migration[]
  /** Whether to apply migrations that the deployed functions cannot live with. */
  allowBreaking?: boolean
}

const CONNECT_MS = 10_000

/** What a reader of an error of migrations sets. */
export const OF_SETTINGS: Cures = { schema: 'set DB_SCHEMA to its name', address: 'set DB_MIGRATION_URL to the address of the server itself' }

/** As `migrate` of ResilientSequelize, over pg alone: a function that migrates loads no Sequelize. */
export async function applyMigrations({ settings, deadline, ...options }: MigrateOptions): Promise<MigrateResult> {
  const { default: pg } = await import('pg')
  return apply({
    ...options,
    schema: settings.schema,
    cures: OF_SETTINGS,
    deadline,
    async connect() {
      const client = new pg.Client({
        host: settings.host,
        port: settings.port,
        database: settings.name,
        user: settings.user,
        password: settings.password,
        ...pgTls(settings.tls, settings.host),
        application_name: 'ops/migrate',
        connectionTimeoutMillis: Math.max(1, Math.min(CONNECT_MS, deadline.remainingMs())),
        options: LOST_CLIENT_OPTIONS,
      })
      // A connection that is cut while it is idle must not end the process.
      client.on('error', () => undefined)
      try {
        await client.connect()
        return client
      } catch (error) {
        client.connection.stream.destroy()
        throw error
      }
    },
  })
}
