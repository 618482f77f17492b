import { sql, type Statement } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
/**
 * The part of a statement that moves balances, wherever a transaction is written: every change of a transaction goes
 * through it, in the same statement, so that a user's balance is the sum of the completed transactions at any time.
 * `before` and `after` are named sub-queries of that statement, with the rows of `transactions` as they were and as they
 * are now. In order of currency, so that two movements cannot wait for each other. A balance says only how much it moves
 * by: whoever comes at the same time moves it on from there.
 */
export function moveBalances(before: string, after: string): Statement {
  return sql`
    INSERT INTO ${tables.balances} (user_id, currency, amount, updated_at)
    SELECT user_id, currency, sum(amount), now() FROM (
      SELECT user_id, currency, -amount AS amount FROM ${before} WHERE status = 'completed'
      UNION ALL SELECT user_id, currency, amount FROM ${after} WHERE status = 'completed') AS movement
    WHERE user_id IS NOT NULL
    GROUP BY user_id, currency HAVING sum(amount) <> 0 ORDER BY user_id, currency
    ON CONFLICT (user_id, currency) DO UPDATE SET amount = balances.amount + excluded.amount, updated_at = excluded.updated_at`
}
