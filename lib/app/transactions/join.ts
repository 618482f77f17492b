import type { Work } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { moveBalances } from './balances.ts'

/**
 * Links to a user the transactions that came before that user did, and moves the balances. Whoever gives the user that
 * external id holds that one's lock (`lockUser`). Without such a user nothing happens.
 */
export async function joinTransactions(
  { userId, externalId }: { userId: string; externalId: string },
  { query }: Pick<Work, 'query'>,
): Promise<void> {
  await query(
    sql`WITH known AS MATERIALIZED (
       SELECT id FROM ${tables.transactions} WHERE user_external_id = $externalId AND user_id IS NULL AND EXISTS (SELECT FROM ${tables.users} WHERE id = $userId::uuid)
       ORDER BY id FOR UPDATE),
     joined AS (
       UPDATE ${tables.transactions} SET user_id = $userId::uuid FROM known WHERE transactions.id = known.id RETURNING transactions.*),
     nothing AS (SELECT user_id, currency, amount, status FROM ${tables.transactions} WHERE false)
     ${moveBalances('nothing', 'joined')}`,
    { userId, externalId },
  )
}
