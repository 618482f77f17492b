import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Since when events of an erased user may still have to be erased; null once none is left. It has no meaning for other users.
// The default covers users whom older functions erase: those do not set the column.
export const dueErasures: Migration = {
  name: '2026-11-29-due-erasures',
  async up({ query }) {
    await query("ALTER TABLE users ADD COLUMN events_due_at timestamptz DEFAULT 'epoch'")
  },
}
