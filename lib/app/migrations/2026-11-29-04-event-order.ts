import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// The place of the newest event in the total order of events (see `orderOf`): decides between two of the same instant.
// Compared byte by byte, whatever the collation of the database.
export const eventOrder: Migration = {
  name: '2026-11-29-event-order',
  async up({ query }) {
    await query('ALTER TABLE users ADD COLUMN reported_order text COLLATE "C"')
    await query('ALTER TABLE transactions ADD COLUMN reported_order text COLLATE "C"')
  },
}
