import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// A balance has room for more amounts than a table can hold rows. It is never below zero, but no constraint says so: a
// movement is inserted before it is found to belong to a row that is there, and would be refused for itself.
export const statesAndBalances: Migration = {
  name: '2026-11-24-states-and-balances',
  async up({ query }) {
    await query(`
      ALTER TABLE users
        ALTER COLUMN email DROP NOT NULL,
        ALTER COLUMN name DROP NOT NULL,
        ADD COLUMN erased_at timestamptz,
        ADD CHECK ((erased_at IS NULL) = (email IS NOT NULL)),
        ADD CHECK ((erased_at IS NULL) = (name IS NOT NULL))`)
    await query(`
      ALTER TABLE transactions
        ALTER COLUMN external_id DROP NOT NULL,
        ALTER COLUMN user_external_id DROP NOT NULL`)
    await query(`
      CREATE TABLE balances (
        user_id uuid REFERENCES users (id) ON DELETE CASCADE,
        currency char(3) CHECK (currency ~ '^[A-Z]{3}$'),
        amount numeric(38,4) NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, currency)
      )`)
    await query(`
      INSERT INTO balances (user_id, currency, amount, updated_at)
      SELECT user_id, currency, sum(amount), now() FROM transactions
      WHERE status = 'completed' AND user_id IS NOT NULL GROUP BY user_id, currency`)
  },
}
