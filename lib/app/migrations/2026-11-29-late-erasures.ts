import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Functions that did not know `events_due_at` may have erased users after it was added.
export const lateErasures: Migration = {
  name: '2026-11-29-late-erasures',
  async up({ query }) {
    await query('UPDATE users SET events_due_at = now() WHERE erased_at IS NOT NULL AND events_due_at IS NULL')
  },
}
