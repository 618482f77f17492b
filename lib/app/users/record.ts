import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { v7 as uuidv7 } from 'uuid'
import { violatedUniqueConstraint } from '../../resilient-sequelize/src/errors/classify-error.ts'
import type { Work } from '../../functions-runtime/src/database/service.ts'
import { ApplicationError } from '../../functions-runtime/src/edge/http-errors.ts'
import { joinTransactions } from '../transactions/join.ts'
import { lockUser } from '../../webhook-inbox/src/inbox/user-lock.ts'
import type { ReportedUser } from './schema.ts'

const RECORD = sql`
  WITH changed AS (
    INSERT INTO ${tables.users} AS u (id, external_id, email, name, reported_at, reported_order, created_at, updated_at)
    VALUES ($id, $externalId, $email, $name, $occurredAt::timestamptz, $order, date_trunc('milliseconds', now()), date_trunc('milliseconds', now()))
    ON CONFLICT (external_id) DO UPDATE
      SET email = EXCLUDED.email, name = EXCLUDED.name, reported_at = EXCLUDED.reported_at, reported_order = EXCLUDED.reported_order,
        updated_at = EXCLUDED.updated_at
      WHERE u.erased_at IS NULL AND (u.reported_at IS NULL OR u.reported_at < EXCLUDED.reported_at 
        OR (u.reported_at = EXCLUDED.reported_at AND coalesce(u.reported_order < EXCLUDED.reported_order, $isChange::boolean)))
    RETURNING id)
  SELECT id, false AS erased FROM changed UNION ALL SELECT id, erased_at IS NOT NULL FROM ${tables.users} WHERE external_id = $externalId AND NOT EXISTS (SELECT FROM changed)`

/**
 * Records what was told of a user: makes or changes it if that is newer than what is known, and links the transactions
 * that came before. Senders count in seconds: of the same instant, a change comes after a creation, and then `order` decides.
 * Resolves to that user, or to nobody when the user was erased: a late event brings
 * no one back.
 * @throws ApplicationError `email-taken`, retryable, while another user has the address: the event that takes it from
 * that one may still be on its way.
 */
export async function recordUser(
  user: ReportedUser,
  { occurredAt, order, isChange }: { occurredAt: string; order: string; isChange: boolean },
  work: Work,
): Promise<{ userId: string | null; erased: boolean }> {
  const { userId: externalId, email, name } = user
  try {
    const [, [row]] = await Promise.all([
      lockUser(externalId, work),
      work.query<{ id: string; erased: boolean }>(RECORD, {
        ...{ id: uuidv7(), externalId, email, name, occurredAt, isChange },
        order: `${Number(isChange)}\n${order}`,
      }),
    ])
    if (row === undefined) throw new Error('a user was neither made nor found')
    if (row.erased) return { userId: null, erased: true }
    await joinTransactions({ userId: row.id, externalId }, work)
    return { userId: row.id, erased: false }
  } catch (error) {
    if (violatedUniqueConstraint(error) !== 'users_email_key') throw error
    throw new ApplicationError('Another user has this email address.', { code: 'email-taken', status: 409, retryable: true, cause: error })
  }
}
