import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'

// All containers add to these counters. The row with the minute `infinity` is the total of all time, which is never pruned.
// Keeps a table that an earlier migration of the application created.
export const runtimeTables: Migration = {
  name: '2026-11-30-runtime-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE IF NOT EXISTS operation_counters (
        minute timestamptz NOT NULL,
        function text NOT NULL CHECK (length(function) BETWEEN 1 AND 100),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        label text NOT NULL CHECK (length(label) <= 200),
        outcome text NOT NULL CHECK (length(outcome) <= 100),
        count bigint NOT NULL CHECK (count > 0),
        PRIMARY KEY (minute, function, name, label, outcome)
      )`)
    // Pruning would not take the wide key for finding old rows as long as the table is not analyzed.
    await query('CREATE INDEX IF NOT EXISTS operation_counters_minute ON operation_counters (minute)')
  },
}
