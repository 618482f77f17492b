import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

const indexes = [
  // Lists are read newest first.
  { name: 'users_created_at', on: 'users (created_at, id)' },
  { name: 'transactions_user_id_created_at', on: 'transactions (user_id, created_at, id)' },
  // What maintenance still has to erase; empty as long as all goes well.
  { name: 'users_activities_due_at', on: 'users (activities_due_at) WHERE activities_due_at IS NOT NULL' },
]

// Concurrently, because rows arrive all the time. What a build that was cut off left behind is invalid, but has the name.
export const apiIndexes: Migration = {
  name: '2026-11-24-api-indexes',
  transaction: false,
  async up({ query }) {
    for (const { name, on } of indexes) {
      await query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`)
      await query(`CREATE INDEX CONCURRENTLY ${name} ON ${on}`)
    }
  },
}
