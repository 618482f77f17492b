import { sql, type Statement } from '../../../../functions-runtime/src/database/sql.ts'
import { tables as runtimeTables } from '../../../../functions-runtime/src/database/tables.ts'
import { tables as inboxTables } from '../../../../webhook-inbox/src/tables.ts'
import type { GuardedClient } from '../../../../resilient-sequelize/src/wire/guarded-client.ts'
import { codeOf } from '../../../../resilient-sequelize/src/errors/code-of.ts'
import { rowsOf } from '../questions.ts'
import type { CounterRow } from './counter-families.ts'

/** How the inbox stands. */
export interface InboxFacts {
  readonly parked: number
  readonly due: number
  /** For how long the oldest of them has been due, in ms; 0 when none is. */
  readonly oldestDueMs: number
}

/** What only the database knows of the fleet. */
export interface FleetFacts {
  readonly counters: readonly CounterRow[] | { readonly unseen: string }
  readonly inbox: InboxFacts | { readonly unseen: string }
}

const LONGEST_MS = 1_000
const limited = (text: Statement) => sql`SET LOCAL statement_timeout = ${LONGEST_MS}; ${text}`

const COUNTERS = limited(
  sql`SELECT function, name, label, outcome, count::float8 AS count FROM ${runtimeTables.operation_counters} WHERE minute = 'infinity' ORDER BY 1, 2, 3, 4`,
)
/** Each part has an index of its own, which is empty as long as all goes well. */
export const INBOX = sql`
  SELECT (SELECT count(*) FROM ${inboxTables.webhook_events} WHERE outcome = 'failed')::int AS parked,
    (SELECT count(*) FROM ${inboxTables.webhook_events} WHERE next_attempt_at <= now())::int AS due,
    coalesce((SELECT extract(epoch FROM now() - min(next_attempt_at)) * 1000 FROM ${inboxTables.webhook_events} WHERE next_attempt_at <= now()), 0)::float8
      AS "oldestDueMs"`

const INBOX_IN_TIME = limited(INBOX)

/** Asks both in one flight; a table that cannot be read hides nothing but itself. @throws never */
export async function askFleet(client: GuardedClient, schema: string): Promise<FleetFacts> {
  const counters = rowsOf<CounterRow>(client, COUNTERS(schema)).catch(unseen)
  const inbox = rowsOf<InboxFacts>(client, INBOX_IN_TIME(schema)).then(([row]) => row ?? { unseen: 'unknown' }, unseen)
  return { counters: await counters, inbox: await inbox }
}

function unseen(error: unknown): { unseen: string } {
  return { unseen: codeOf(error) }
}
