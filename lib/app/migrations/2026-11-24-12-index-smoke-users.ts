import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Maintenance deletes the erased users that were made to try a deployment.
export const indexSmokeUsers: Migration = {
  name: '2026-11-24-index-smoke-users',
  transaction: false,
  async up({ query }) {
    await query('DROP INDEX CONCURRENTLY IF EXISTS users_smoke')
    await query("CREATE INDEX CONCURRENTLY users_smoke ON users (erased_at) WHERE external_id LIKE 'smoke-test:%'")
  },
}
