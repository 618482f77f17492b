import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { runtimeTables } from './2026-11-30-runtime-tables.ts'

/** The tables of the runtime: what the functions count. */
export const migrations: readonly Migration[] = [runtimeTables]
