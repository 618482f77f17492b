import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Since when events of an erased user may still have to be erased; null once none is left, and of no meaning before the user
// is erased. The default makes users due whom functions erase that do not know the column, before or after this.
export const dueErasures: Migration = {
  name: '2026-11-29-due-erasures',
  async up({ query }) {
    await query("ALTER TABLE users ADD COLUMN events_due_at timestamptz DEFAULT 'epoch'")
  },
}
