import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// The sender's names for things are bounded so that the indexes on them stay within a page.
export const firstTables: Migration = {
  name: '2026-11-24-first-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND position('@' IN email) > 1),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
        external_id text UNIQUE CHECK (length(external_id) BETWEEN 1 AND 200),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      )`)
    await query('CREATE UNIQUE INDEX users_email_key ON users (lower(email))')
    await query(`
      CREATE TABLE activities (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
        details jsonb,
        created_at timestamptz NOT NULL
      )`)
    await query('CREATE INDEX activities_user_id_created_at ON activities (user_id, created_at DESC)')
    await query(`
      CREATE TABLE transactions (
        id uuid PRIMARY KEY,
        external_id text NOT NULL UNIQUE CHECK (length(external_id) BETWEEN 1 AND 200),
        user_id uuid REFERENCES users (id) ON DELETE SET NULL,
        user_external_id text NOT NULL CHECK (length(user_external_id) BETWEEN 1 AND 200),
        amount numeric(19,4) NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        status text NOT NULL CHECK (status IN ('pending', 'completed', 'failed', 'refunded')),
        occurred_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      )`)
    await query('CREATE INDEX transactions_user_id ON transactions (user_id)')
    await query('CREATE INDEX transactions_user_external_id ON transactions (user_external_id) WHERE user_id IS NULL')
    await query(`
      CREATE TABLE webhook_events (
        id uuid PRIMARY KEY,
        source text NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
        external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 255),
        type text NOT NULL CHECK (length(type) BETWEEN 1 AND 255),
        user_id uuid REFERENCES users (id) ON DELETE SET NULL,
        received_at timestamptz NOT NULL,
        processed_at timestamptz,
        attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        outcome text CHECK (outcome IN ('applied', 'ignored')),
        UNIQUE (source, external_id),
        CHECK ((processed_at IS NULL) = (outcome IS NULL))
      )`)
    await query('CREATE INDEX webhook_events_processed_at ON webhook_events (processed_at)')
  },
}
