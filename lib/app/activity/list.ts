import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { BEHIND_PLACE, bindPlace, PLACE, pageOf, readCursor, type Page } from '../../functions-runtime/src/content/page.ts'
import { readListOfUser } from '../users/list-of-user.ts'
import type { Activity, ActivityQuery } from './schema.ts'

interface Row extends Omit<Activity, 'createdAt'> {
  readonly at: string
  readonly createdAt: Date
}

/**
 * A page of what a user did, newest first.
 * @throws NotFoundError, BadRequestError for a cursor that is none.
 */
export async function listActivities(userId: string, { limit, cursor, kind }: ActivityQuery, database: DatabaseService): Promise<Page<Activity>> {
  const list = ['activities', userId, kind]
  const place = readCursor(cursor, list)
  const rows = await readListOfUser<Row>(
    'activity.list',
    userId,
    {
      columns: `${PLACE}, id, kind, details, ip, user_agent AS "userAgent", created_at AS "createdAt"`,
      from: sql`${tables.activities} WHERE user_id = $userId AND ($kind::text IS NULL OR kind = $kind) AND ${BEHIND_PLACE}`,
      bind: { kind: kind ?? null, ...bindPlace(place) },
      limit: limit + 1,
    },
    database,
  )
  return pageOf(rows, {
    limit,
    list,
    view: ({ at: _at, createdAt, ...shown }) => ({ ...shown, createdAt: createdAt.toISOString() }),
  })
}
