import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { ActivityRecorder } from '../activity/record.ts'
import { eraseActivities } from '../activity/erase.ts'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import { eraseEvents } from './erase-events.ts'
import { lockUser, UNDER_LOCK } from '../../webhook-inbox/src/inbox/user-lock.ts'
import { userIdSchema } from './schema.ts'
import { userUnknown } from './unknown.ts'

// What a user leaves behind. The row stays, with the external id as a tombstone: no late event brings the person back.
// Transactions stay without a name or a link; that an event was processed stays known, without what it said.
const LEFT_BEHIND = [
  sql`UPDATE ${tables.idempotency_keys} SET request_hash = NULL, answer = NULL WHERE user_id = $id AND answer IS NOT NULL`,
  sql`UPDATE ${tables.transactions} SET user_id = NULL, user_external_id = NULL WHERE user_id = $id`,
  sql`DELETE FROM ${tables.balances} WHERE user_id = $id`,
]
const ERASE = sql`
  UPDATE ${tables.users} SET email = NULL, name = NULL, erased_at = now(), activities_due_at = now(), events_due_at = now(), reported_order = NULL, updated_at = now() WHERE id = $id`

/**
 * Erases a user and the user's personal data. Waits for transactions that write for this user at the same time; later ones
 * find the user gone. Maintenance erases what cannot be reached now: activities (`eraseDueActivities`) and events
 * (`eraseDueEvents`).
 * @throws NotFoundError
 */
export async function eraseUser(id: string, { activity, database }: { activity: ActivityRecorder; database: DatabaseService }): Promise<void> {
  if (!userIdSchema.safeParse(id).success) throw userUnknown()
  const work = async (work: Work): Promise<void> => {
    const { query } = work
    const [known] = await query<{ externalId: string | null }>(
      sql`SELECT external_id AS "externalId" FROM ${tables.users} WHERE id = $id AND erased_at IS NULL`,
      {
        id,
      },
    )
    if (!known) throw userUnknown()
    const [, [still]] = await Promise.all([
      known.externalId === null ? undefined : lockUser(known.externalId, work),
      query(sql`SELECT id FROM ${tables.users} WHERE id = $id AND erased_at IS NULL FOR UPDATE`, { id }),
    ])
    if (!still) throw userUnknown()
    await Promise.all([...[...LEFT_BEHIND, ERASE].map(text => query(text, { id })), eraseEvents(id, work)])
    await activity.recordActivity(id, 'user.erased')
    await eraseActivities(id, database)
  }
  await database.execute('user.erase', work, {
    ...UNDER_LOCK,
    wasCommitted: async ({ models }) => ((await models.User.findByPk(id))?.erasedAt ?? null) !== null,
  })
}
