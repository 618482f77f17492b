import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// A key is stored before its user, in the same flight, so that no foreign key can tie the two; users never go, they are
// erased. Answers are json and not jsonb: they are given again as they were, in the same order.
export const apiTables: Migration = {
  name: '2026-11-24-api-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE idempotency_keys (
        id uuid PRIMARY KEY,
        caller text NOT NULL CHECK (length(caller) BETWEEN 1 AND 64),
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
        request_hash bytea CHECK (length(request_hash) = 32),
        answer json,
        user_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (caller, key),
        CHECK ((request_hash IS NULL) = (answer IS NULL))
      )`)
    await query('CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at)')
    await query('CREATE INDEX idempotency_keys_user_id ON idempotency_keys (user_id)')
    await query(`
      ALTER TABLE activities
        ADD COLUMN ip text CHECK (length(ip) BETWEEN 1 AND 45),
        ADD COLUMN user_agent text CHECK (length(user_agent) BETWEEN 1 AND 500)`)
    await query('ALTER TABLE users ADD COLUMN activities_due_at timestamptz CHECK (activities_due_at IS NULL OR erased_at IS NOT NULL)')
  },
}
