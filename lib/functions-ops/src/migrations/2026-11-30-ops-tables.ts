import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'

// Keeps tables that an earlier migration of the application created.
export const opsTables: Migration = {
  name: '2026-11-30-ops-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE IF NOT EXISTS health_checks (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        checked_at timestamptz NOT NULL DEFAULT now(),
        status text NOT NULL CHECK (status IN ('pass', 'warn', 'fail')),
        checks jsonb NOT NULL,
        counted jsonb NOT NULL
      )`)
    await query('CREATE INDEX IF NOT EXISTS health_checks_checked_at ON health_checks (checked_at)')
    await query(`
      CREATE TABLE IF NOT EXISTS alerts_raised (
        kind text PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 200),
        raised_at timestamptz NOT NULL DEFAULT now()
      )`)
  },
}
