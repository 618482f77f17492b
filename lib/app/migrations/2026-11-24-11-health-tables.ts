import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// Counters come from many containers and are only ever added up. The row of a counter for all time has the minute
// `infinity`, and so is never old enough to be pruned.
export const healthTables: Migration = {
  name: '2026-11-24-health-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE operation_counters (
        minute timestamptz NOT NULL,
        function text NOT NULL CHECK (length(function) BETWEEN 1 AND 100),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        label text NOT NULL CHECK (length(label) <= 200),
        outcome text NOT NULL CHECK (length(outcome) <= 100),
        count bigint NOT NULL CHECK (count > 0),
        PRIMARY KEY (minute, function, name, label, outcome)
      )`)
    // Pruning would not take the wide key for finding old rows as long as the table is not analyzed.
    await query('CREATE INDEX operation_counters_minute ON operation_counters (minute)')
    await query(`
      CREATE TABLE health_checks (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        checked_at timestamptz NOT NULL DEFAULT now(),
        status text NOT NULL CHECK (status IN ('pass', 'warn', 'fail')),
        checks jsonb NOT NULL,
        counted jsonb NOT NULL
      )`)
    await query('CREATE INDEX health_checks_checked_at ON health_checks (checked_at)')
    await query(`
      CREATE TABLE alerts_raised (
        kind text PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 200),
        raised_at timestamptz NOT NULL DEFAULT now()
      )`)
  },
}
