import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Erasing a user looks for the events that concern that user, and so does the foreign key.
export const indexEventsByUser: Migration = {
  name: '2026-11-24-index-events-by-user',
  transaction: false,
  async up({ query }) {
    await query('DROP INDEX CONCURRENTLY IF EXISTS webhook_events_user_id')
    await query('CREATE INDEX CONCURRENTLY webhook_events_user_id ON webhook_events (user_id) WHERE user_id IS NOT NULL')
  },
}
