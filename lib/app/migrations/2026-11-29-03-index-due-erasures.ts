import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

const indexes = [
  // What maintenance still has to erase. Empty as long as all goes well.
  { name: 'users_events_due_at', on: 'users (events_due_at) WHERE erased_at IS NOT NULL' },
  // Payloads that are about no known user, by age.
  {
    name: 'webhook_events_unattributed',
    on: 'webhook_events (received_at) WHERE body IS NOT NULL AND concerns IS NULL AND user_id IS NULL AND outcome IS NOT NULL',
  },
]

// Concurrently, because events arrive all the time. An interrupted build leaves an invalid index of that name.
export const indexDueErasures: Migration = {
  name: '2026-11-29-index-due-erasures',
  transaction: false,
  async up({ query }) {
    for (const { name, on } of indexes) {
      await query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`)
      await query(`CREATE INDEX CONCURRENTLY ${name} ON ${on}`)
    }
  },
}
