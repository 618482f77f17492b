import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'

/** Every balance that is not the sum of its user's completed transactions: nothing, ever. */
export async function wrongBalances(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    SELECT coalesce(b.user_id, t.user_id) AS user_id, coalesce(b.currency, t.currency) AS currency, b.amount AS balance, t.amount AS sum
    FROM balances b FULL JOIN (
      SELECT user_id, currency, sum(amount) AS amount FROM transactions WHERE status = 'completed' AND user_id IS NOT NULL GROUP BY 1, 2) t
    ON b.user_id = t.user_id AND b.currency = t.currency
    WHERE coalesce(b.amount, 0) <> coalesce(t.amount, 0)`)
}
