import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { BEHIND_PLACE, bindPlace, PLACE, pageOf, readCursor, type Page } from '../../functions-runtime/src/content/page.ts'
import type { User, UserQuery } from './schema.ts'
import { USER_COLUMNS, viewOfUser, type ShownUserRow } from './view.ts'

/**
 * A page of users, newest first.
 * @throws BadRequestError for a cursor that is none.
 */
export async function listUsers({ limit, cursor, ...filters }: UserQuery, database: DatabaseService): Promise<Page<User>> {
  const { email, externalId, createdAfter, createdBefore } = filters
  const list = ['users', email, externalId, createdAfter, createdBefore]
  const place = readCursor(cursor, list)
  const conditions = [
    'erased_at IS NULL',
    BEHIND_PLACE,
    ...(email === undefined ? [] : ['lower(email) = lower($email)']),
    ...(externalId === undefined ? [] : ['external_id = $externalId']),
    ...(createdAfter === undefined ? [] : ['created_at > $createdAfter::timestamptz']),
    ...(createdBefore === undefined ? [] : ['created_at < $createdBefore::timestamptz']),
  ]
  const text = sql`
    SELECT ${PLACE}, ${USER_COLUMNS} FROM ${tables.users} WHERE ${conditions.join(' AND ')}
    ORDER BY created_at DESC, users.id DESC LIMIT $limit::int`
  const bind = { ...filters, ...bindPlace(place), limit: limit + 1 }
  const rows = await database.execute('user.list', ({ query }) => query<ShownUserRow & { at: string }>(text, bind), { mode: 'read' })
  return pageOf(rows, { limit, list, view: viewOfUser })
}
