import { v7 as uuidv7 } from 'uuid'
import type { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { Origin } from '../../functions-runtime/src/api/origin.ts'
import type { ActivityKind } from './schema.ts'

/** Records what users do, for one request. Nothing that becomes of it changes what the request is answered. */
export interface ActivityRecorder {
  /**
   * Within a transaction: in a savepoint, and there only if the transaction commits. Outside of one it is begun and not
   * waited for; `flushActivity` is.
   */
  recordActivity(userId: string, kind: ActivityKind, details?: Readonly<Record<string, unknown>>): Promise<void>
  /** Waits until nothing is under way any more: a container may be paused right after the answer. */
  flushActivity(): Promise<void>
}

/** Makes the recorder for a request. */
export type ActivityRecorders = (origin: Origin) => ActivityRecorder

const WARN_EVERY_MS = 60_000
// Long enough for two trips to a database nearby, short enough that nobody notices.
const BUDGET_MS = 500

// Whoever erases the user meanwhile is waited for: what comes after that is about nobody.
const INSERT = sql`
  INSERT INTO ${tables.activities} (id, user_id, kind, details, ip, user_agent, created_at)
  SELECT $id::uuid, users.id, $kind, $details::jsonb, $ip, $userAgent, now()
  FROM ${tables.users} WHERE users.id = $userId AND (erased_at IS NULL OR $kind = '${'user.erased' satisfies ActivityKind}') FOR KEY SHARE`

/** Makes recorders that share one memory of the last warning: when the table is gone, one line a minute says so. */
export function createActivityRecorders(
  database: DatabaseService,
  { now = Date.now, budgetMs = BUDGET_MS }: { now?: () => number; budgetMs?: number } = {},
): ActivityRecorders {
  let quietUntil = 0

  async function record(bind: Readonly<Record<string, unknown>>): Promise<void> {
    const logWarning = now() >= quietUntil
    await database.safeExecute(async () => void (await database.execute('activity.record', ({ query }) => query(INSERT, bind))), {
      operationName: 'activity.record',
      fallbackValue: undefined,
      budgetMs,
      logWarning,
      onFallback: () => {
        if (logWarning) quietUntil = now() + WARN_EVERY_MS
      },
    })
  }

  return origin => {
    const underWay = new Set<Promise<void>>()
    return {
      async recordActivity(userId, kind, details) {
        const recording = record({ id: uuidv7(), userId, kind, details: details ? JSON.stringify(details) : null, ...origin })
        if (database.isInUnit) return recording
        underWay.add(recording)
        void recording.finally(() => underWay.delete(recording))
      },
      async flushActivity() {
        await Promise.all(underWay)
      },
    }
  }
}
