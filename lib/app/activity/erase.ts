import type { Eraser } from '../../functions-ops/src/maintenance/eraser.ts'
import type { DatabaseService, ExecuteOptions } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'

const ERASE = sql`
  WITH gone AS (
    UPDATE ${tables.activities} SET details = NULL, ip = NULL, user_agent = NULL
    WHERE user_id = $id AND (details IS NOT NULL OR ip IS NOT NULL OR user_agent IS NOT NULL))
  UPDATE ${tables.users} SET activities_due_at = NULL WHERE id = $id`
const DUE = sql`SELECT id FROM ${tables.users} WHERE activities_due_at IS NOT NULL ORDER BY activities_due_at LIMIT 100`

/** Takes out of a user's activities what tells of the person. When that fails it stays noted, and nothing else fails. */
export async function eraseActivities(id: string, database: DatabaseService): Promise<void> {
  await database.safeExecute(async () => void (await erase(id, database)), { operationName: 'activity.erase', fallbackValue: undefined })
}

/** Does what was noted, and resolves to how many users' activities that were. */
export async function eraseDueActivities(database: Pick<DatabaseService, 'execute'>, options: Pick<ExecuteOptions, 'deadline'>): Promise<number> {
  const due = await database.execute('activity.erase.due', ({ query }) => query<{ id: string }>(DUE), { ...options, mode: 'read' })
  for (const { id } of due) await erase(id, database, options)
  return due.length
}

/** What maintenance does of it. */
export const activityEraser: Eraser = {
  name: 'activities',
  due: { name: 'dueErasures', table: 'users', since: 'activities_due_at', keepMs: 0 },
  erase: eraseDueActivities,
}

async function erase(id: string, database: Pick<DatabaseService, 'execute'>, options: Pick<ExecuteOptions, 'deadline'> = {}): Promise<void> {
  await database.execute('activity.erase', ({ query }) => query(ERASE, { id }), options)
}
