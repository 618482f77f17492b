import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Concurrently, because events arrive all the time. What a build that was cut off left behind is invalid, but has the name.
export const indexEventsByName: Migration = {
  name: '2026-11-24-index-events-by-name',
  transaction: false,
  async up({ query }) {
    await query('DROP INDEX CONCURRENTLY IF EXISTS webhook_events_concerns')
    await query('CREATE INDEX CONCURRENTLY webhook_events_concerns ON webhook_events (concerns) WHERE concerns IS NOT NULL')
  },
}
