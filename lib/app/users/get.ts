import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { userIdSchema, type User } from './schema.ts'
import { userUnknown } from './unknown.ts'
import { USER_COLUMNS, viewOfUser, type ShownUserRow } from './view.ts'

/**
 * Reads a user.
 * @throws NotFoundError for an unknown id, for one that cannot be an id, and for a user that was erased.
 */
export async function getUser(id: string, database: DatabaseService): Promise<User> {
  if (!userIdSchema.safeParse(id).success) throw userUnknown()
  const text = sql`SELECT ${USER_COLUMNS} FROM ${tables.users} WHERE id = $id AND erased_at IS NULL`
  const [row] = await database.execute('user.get', ({ query }) => query<ShownUserRow>(text, { id }), { mode: 'read' })
  if (!row) throw userUnknown()
  return viewOfUser(row)
}
