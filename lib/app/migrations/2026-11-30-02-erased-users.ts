import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// The inbox stores no content about these users and deletes what it has stored.
export const erasedUsers: Migration = {
  name: '2026-11-30-erased-users',
  async up({ query }) {
    await query('CREATE OR REPLACE VIEW webhook_erased AS SELECT id, external_id AS name FROM users WHERE erased_at IS NOT NULL')
  },
}
