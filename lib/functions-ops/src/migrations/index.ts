import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { opsTables } from './2026-11-30-ops-tables.ts'

/** The tables of health checks and alerts. */
export const migrations: readonly Migration[] = [opsTables]
