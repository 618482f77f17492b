import { firstTables } from './2026-11-24-first-tables.ts'
import { indexActivitiesByAge } from './2026-11-24-index-activities-by-age.ts'
import type { Migration } from './migration.ts'

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [firstTables, indexActivitiesByAge]
