import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Pruning looks for the oldest rows; without it every run would read the whole table. Built concurrently, because
// activities are written all the time. What a build that was cut off left behind is invalid, but has the name.
export const indexActivitiesByAge: Migration = {
  name: '2026-11-24-index-activities-by-age',
  transaction: false,
  async up({ query }) {
    await query('DROP INDEX CONCURRENTLY IF EXISTS activities_created_at')
    await query('CREATE INDEX CONCURRENTLY activities_created_at ON activities (created_at)')
  },
}
