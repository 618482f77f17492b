import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Since when events of an erased user may still have to be erased; null once none is left. Users that were erased before
// are looked at once, since their parked and unhandled events were kept.
export const dueErasures: Migration = {
  name: '2026-11-29-due-erasures',
  async up({ query }) {
    await query('ALTER TABLE users ADD COLUMN events_due_at timestamptz CHECK (events_due_at IS NULL OR erased_at IS NOT NULL)')
    await query('UPDATE users SET events_due_at = now() WHERE erased_at IS NOT NULL')
  },
}
