import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { inboxTables } from './2026-11-30-inbox-tables.ts'

/** The tables of the inbox. */
export const migrations: readonly Migration[] = [inboxTables]
