import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Where the content of a parked event does not fit: JSON Pointers and names of headers, never a value. Nullable and without
// a check on other columns, so that functions that do not know it go on.
export const invalidPaths: Migration = {
  name: '2026-11-29-invalid-paths',
  async up({ query }) {
    await query('ALTER TABLE webhook_events ADD COLUMN invalid_paths jsonb')
  },
}
