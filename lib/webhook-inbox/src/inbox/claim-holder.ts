import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { v7 as uuidv7 } from 'uuid'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { errorChain, readField } from '../../../resilient-sequelize/src/errors/error-chain.ts'
import { bodyHash, type ReadDelivery } from './delivery.ts'

/**
 * What keeps a claim waiting. `delivery`: another delivery of the event is being applied. `table`: another session has
 * locked a table that claims need. `none`: nothing any more. `unknown`: the database did not answer in time.
 */
export type ClaimHolder = 'delivery' | 'table' | 'none' | 'unknown'

// Time for a new connection and one round trip, in ms: the connection that waited is gone.
const PROBE_MS = 1_000
const LOCK_NOT_AVAILABLE = '55P03'
// The server's routine behind RAISE in PL/pgSQL.
const RAISE = 'exec_stmt_raise'
// As an INSERT locks it: refused at once while another session holds or awaits a lock that keeps writers out.
const LOCK_TABLE = sql`LOCK TABLE ${tables.webhook_events} IN ROW EXCLUSIVE MODE NOWAIT`
// With a view the server locks the tables it reads: as strongly as the foreign key of an insert does, whatever the value.
const LOCK_ERASED = sql`LOCK TABLE ${tables.webhook_erased} IN ROW SHARE MODE NOWAIT`
// Longer than the short waits of an insert for anything but a transaction.
const LIMIT = "SET LOCAL lock_timeout = '50ms'"
const CLAIM = sql`
  INSERT INTO ${tables.webhook_events} (id, source, external_id, type, received_at, replay_guard)
  VALUES ($id, $source, $externalId, 'probe', now(), CASE WHEN $guarded::boolean THEN $hash::bytea END) ON CONFLICT DO NOTHING`
const ROW = sql`
  SELECT FROM ${tables.webhook_events} WHERE source = $source AND (external_id = $externalId OR ($guarded::boolean AND replay_guard = $hash::bytea))
  FOR UPDATE NOWAIT`

/**
 * Finds out what a claim has waited for in vain, by claiming again without waiting; takes it back. A timed-out statement
 * does not tell: waits for a lock on the table and for another transaction end with the same error.
 */
export async function claimHolder(
  delivery: ReadDelivery,
  { database, deadline }: { database: Pick<DatabaseService, 'execute'>; deadline: Deadline },
): Promise<ClaimHolder> {
  const own = openDeadline({ remainingMs: Math.min(PROBE_MS, deadline.remainingMs()), reserveMs: 0 })
  const { event, guarded } = delivery
  const key = { source: event.source, externalId: event.id, guarded, hash: bodyHash(delivery) }
  let holder: ClaimHolder = 'unknown'
  try {
    await database.execute(
      'webhook.probe',
      async ({ query }) => {
        const [table, erased, , claim, row] = await Promise.allSettled([
          query(LOCK_TABLE),
          query(LOCK_ERASED),
          query(LIMIT),
          query(CLAIM, { id: uuidv7(), ...key }),
          query(ROW, key),
        ])
        if (isLocked(table) || isLocked(erased)) holder = 'table'
        else if (isLocked(claim) || isLocked(row)) holder = 'delivery'
        else if (row?.status === 'fulfilled') holder = 'none'
        throw new TakenBack()
      },
      { deadline: own },
    )
  } catch {
    // What was found out stays; the transaction is rolled back.
  } finally {
    own.clear()
  }
  return holder
}

class TakenBack extends Error {}

function isLocked(result: PromiseSettledResult<unknown> | undefined): boolean {
  return result?.status === 'rejected' && codeOf(result.reason) === LOCK_NOT_AVAILABLE && !isRaised(result.reason)
}

/** Whether a trigger raised the error: the server waited for nothing then. */
function isRaised(error: unknown): boolean {
  return errorChain(error).some(part => readField(part, 'routine') === RAISE)
}
