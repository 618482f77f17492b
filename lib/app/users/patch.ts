import type { ActivityRecorder } from '../activity/record.ts'
import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { ApplicationError } from '../../functions-runtime/src/edge/http-errors.ts'
import { userIdSchema, type User, type UserPatch } from './schema.ts'
import { takenError } from './taken.ts'
import { userUnknown } from './unknown.ts'
import { tagOf, USER_COLUMNS, viewOfUser, type ShownUserRow } from './view.ts'

const READ = sql`SELECT ${USER_COLUMNS} FROM ${tables.users} WHERE id = $id AND erased_at IS NULL FOR NO KEY UPDATE`
const WRITE = sql`
  UPDATE ${tables.users} SET email = $email, name = $name, updated_at = greatest(date_trunc('milliseconds', now()), updated_at)
  WHERE id = $id RETURNING ${USER_COLUMNS}`

/**
 * Changes what the patch names, if the user is still as the caller has seen it: `matches` is told the entity tag of now.
 * @throws NotFoundError; ApplicationError `user-changed` (412); ConflictError when the email address is taken.
 */
export async function patchUser(
  id: string,
  patch: UserPatch,
  { matches, activity, database }: { matches: (tag: string) => boolean; activity: ActivityRecorder; database: DatabaseService },
): Promise<User> {
  if (!userIdSchema.safeParse(id).success) throw userUnknown()
  const work = database.execute('user.patch', async ({ query }) => {
    const [row] = await query<ShownUserRow>(READ, { id })
    if (!row) throw userUnknown()
    const user = viewOfUser(row)
    if (!matches(tagOf(user))) throw userChanged()
    const changed = (['email', 'name'] as const).filter(field => patch[field] !== undefined && patch[field] !== user[field])
    if (changed.length === 0) return user
    const [written] = await query<ShownUserRow>(WRITE, { id, email: patch.email ?? user.email, name: patch.name ?? user.name })
    if (!written) throw userUnknown()
    await activity.recordActivity(id, 'user.updated', { fields: changed })
    return viewOfUser(written)
  })
  return work.catch((error: unknown) => {
    throw takenError(error)
  })
}

function userChanged(): ApplicationError {
  return new ApplicationError('The user has been changed meanwhile: read it again.', { code: 'user-changed', status: 412 })
}
