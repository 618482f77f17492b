import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { Work } from '../../../functions-runtime/src/database/service.ts'

const STORED = sql`SELECT FROM ${tables.webhook_events} WHERE id = $id`
const DONE = sql`${STORED} AND outcome IN ('applied', 'ignored')`

/** For `wasCommitted`: looks for the row of an event that is stored, or applied or ignored (`done`). */
export function rowProof(id: () => string, wanted: 'stored' | 'done'): (work: Work) => Promise<boolean> {
  return async ({ query }) => (await query(wanted === 'done' ? DONE : STORED, { id: id() })).length > 0
}
