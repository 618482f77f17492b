import type { Migration } from '../../../../../../resilient-sequelize/src/migrate/migration.ts'

export const firstTables: Migration = {
  name: '2026-11-24-first-tables',
  async up({ query }) {
    await query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text UNIQUE CHECK (length(email) > 1),
        name text,
        external_id text UNIQUE,
        erased_at timestamptz,
        activities_due_at timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      )`)
    await query('CREATE INDEX users_activities_due_at ON users (activities_due_at) WHERE activities_due_at IS NOT NULL')
    await query('CREATE INDEX users_erased_at ON users (erased_at)')
    await query(`
      CREATE TABLE activities (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        kind text NOT NULL,
        created_at timestamptz NOT NULL
      )`)
    await query('CREATE INDEX activities_created_at ON activities (created_at)')
    await query('CREATE INDEX activities_user_id ON activities (user_id)')
    await query(`
      CREATE TABLE transactions (
        external_id text PRIMARY KEY,
        user_external_id text NOT NULL,
        amount numeric(19,4) NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        status text NOT NULL
      )`)
  },
}
