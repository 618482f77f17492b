import { requireSameRequest, type Claim } from '../../functions-runtime/src/api/claim.ts'
import type { Work } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { NotFoundError } from '../../functions-runtime/src/edge/http-errors.ts'

/** Condition in SQL for what only the call does that has the claim in `$claimId`, or that has none. */
export const CLAIMED = sql`($claimId::uuid IS NULL OR EXISTS (SELECT FROM ${tables.idempotency_keys} WHERE id = $claimId::uuid))`

// In SQL, the time of the transaction as the API shows it.
const NOW = `to_char(date_trunc('milliseconds', now()) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * Claims a key for this transaction, together with the answer that will be given; resolves to the time of the transaction. The unique constraint decides: a second
 * insert waits until the first transaction has ended one way or the other. `undefined`: another call has the key.
 */
export async function claimKey(
  { id, caller, key, requestHash }: Claim,
  { userId, answer }: { userId: string; answer: (at: string) => object },
  { query }: Work,
): Promise<string | undefined> {
  // Nothing else in the answer has this id: it stands for the time, which only the server knows.
  const [row] = await query<{ at: string }>(
    sql`INSERT INTO ${tables.idempotency_keys} (id, caller, key, request_hash, answer, user_id, created_at)
     VALUES ($id::uuid, $caller, $key, decode($hash, 'hex'), replace($answer::text, $id::text, ${NOW})::json, $userId, now())
     ON CONFLICT (caller, key) DO NOTHING RETURNING ${NOW} AS at`,
    { id, caller, key, hash: requestHash.toString('hex'), answer: JSON.stringify(answer(id)), userId },
  )
  return row?.at
}

/** The time of the transaction, for a call without a claim. */
export async function readTime({ query }: Pick<Work, 'query'>): Promise<string | undefined> {
  const [row] = await query<{ at: string }>(`SELECT ${NOW} AS at`)
  return row?.at
}

/**
 * Reads the answer that the first request was given.
 * @throws ApplicationError `idempotency-key-reused` when that one asked for something else; NotFoundError when its user
 * was erased since.
 */
export async function readAnswer<Answer>(claim: Claim, { models, transaction }: Work): Promise<Answer> {
  const { caller, key } = claim
  const row = await models.IdempotencyKey.findOne({ where: { caller, key }, transaction })
  if (!row?.requestHash) throw new NotFoundError('The user that this request was about is gone.', 'user-unknown')
  requireSameRequest(claim, row.requestHash)
  return row.answer as Answer
}
