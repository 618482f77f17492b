import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Whom an event is about, as its sender calls that user: known before there is such a user, and of an event that could
// not be applied, where `user_id` is not. Erasing somebody finds by it what was never linked.
export const eventsByName: Migration = {
  name: '2026-11-24-events-by-name',
  async up({ query }) {
    await query('ALTER TABLE webhook_events ADD COLUMN concerns text CHECK (length(concerns) BETWEEN 1 AND 200)')
  },
}
