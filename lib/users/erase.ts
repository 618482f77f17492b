import type { ActivityRecorder } from '../activity/record.ts'
import { eraseActivities } from '../activity/erase.ts'
import type { DatabaseService, Work } from '../database/service.ts'
import { sql, tables } from '../database/sql.ts'
import { lockUser } from './lock.ts'
import { userIdSchema } from './schema.ts'
import { userUnknown } from './unknown.ts'

// What a user leaves behind. The row stays, with the external id as a tombstone: no late event brings the person back.
// Transactions stay without a name or a link; that an event was processed stays known, without what it said.
const LEFT_BEHIND = [
  sql`UPDATE ${tables.idempotency_keys} SET request_hash = NULL, answer = NULL WHERE user_id = $id AND answer IS NOT NULL`,
  sql`UPDATE ${tables.transactions} SET user_id = NULL, user_external_id = NULL WHERE user_id = $id`,
  sql`DELETE FROM ${tables.balances} WHERE user_id = $id`,
]
// Events by link or by name: one that came before that user did, or was not applied, was never linked. A parked one
// ends here; one that is to be tried again is tried now, since a payment counts whoever made it, and says no more then.
// Whoever has one of those two locked waits for us and finds the user gone: to wait for that one would be a deadlock.
const EVENTS = [
  sql`UPDATE ${tables.webhook_events} SET body = NULL, headers = NULL, user_id = NULL, concerns = NULL, invalid_paths = NULL
   WHERE (user_id = $id OR concerns = $externalId) AND processed_at IS NOT NULL`,
  sql`UPDATE ${tables.webhook_events} SET outcome = 'ignored', processed_at = now(), body = NULL, headers = NULL, concerns = NULL, invalid_paths = NULL
   WHERE id IN (SELECT id FROM ${tables.webhook_events} WHERE concerns = $externalId AND outcome = 'failed' FOR UPDATE SKIP LOCKED)`,
  sql`UPDATE ${tables.webhook_events} SET next_attempt_at = now()
   WHERE id IN (SELECT id FROM ${tables.webhook_events} WHERE concerns = $externalId AND outcome IS NULL FOR UPDATE SKIP LOCKED)`,
]
const ERASE = sql`
  UPDATE ${tables.users} SET email = NULL, name = NULL, erased_at = now(), activities_due_at = now(), updated_at = now() WHERE id = $id`

/**
 * Erases a user: nothing that tells of the person is left. Whoever writes something for that user at the same time is
 * waited for, or finds the user gone. Activities that cannot be reached now are left to maintenance (`eraseDueActivities`).
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
    const { externalId } = known
    await Promise.all([...[...LEFT_BEHIND, ERASE].map(text => query(text, { id })), ...EVENTS.map(text => query(text, { id, externalId }))])
    await activity.recordActivity(id, 'user.erased')
    await eraseActivities(id, database)
  }
  await database.execute('user.erase', work, { wasCommitted: async models => ((await models.User.findByPk(id))?.erasedAt ?? null) !== null })
}
