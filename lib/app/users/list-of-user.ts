import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql, type Statement } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { userIdSchema } from './schema.ts'
import { userUnknown } from './unknown.ts'

/** Rows that belong to a user, newest first: parts of a statement, in SQL of our own. */
export interface RowsOfUser {
  readonly columns: string
  /** Table and conditions. */
  readonly from: Statement
  readonly bind: Readonly<Record<string, unknown>>
  readonly limit: number
}

/**
 * Reads rows of a user, and in the same trip whether there is such a user.
 * @throws NotFoundError
 */
export async function readListOfUser<Row extends object>(
  operationName: string,
  userId: string,
  { columns, from, bind, limit }: RowsOfUser,
  database: DatabaseService,
): Promise<Row[]> {
  if (!userIdSchema.safeParse(userId).success) throw userUnknown()
  const text = sql`
    SELECT rows.* FROM ${tables.users}
    LEFT JOIN LATERAL (SELECT ${columns}, true AS present FROM ${from} ORDER BY created_at DESC, id DESC LIMIT $limit::int) AS rows ON true
    WHERE users.id = $userId AND users.erased_at IS NULL`
  const found = await database.execute(operationName, ({ query }) => query<Row & { present: true | null }>(text, { userId, limit, ...bind }), {
    mode: 'read',
  })
  if (found.length === 0) throw userUnknown()
  return found.flatMap(({ present, ...row }) => (present ? [row as unknown as Row] : []))
}
