import type { Counters } from '../telemetry/counters.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { GuardedClient } from '../../../resilient-sequelize/src/wire/guarded-client.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { isRefusal } from '../../../resilient-sequelize/src/errors/is-refusal.ts'
import { sql, type Statement } from './sql.ts'
import { tables } from './tables.ts'

export interface CounterFlushOptions {
  counters: Counters
  /** Whose counts they are. */
  functionName: string
  /** Where our tables are. */
  schema: string
  logger: Logger
  now?: () => number
}

const EVERY_MS = 10_000
// Where the table is missing or may not be written, a look now and then is enough.
const AFTER_REFUSAL_MS = 60_000
// Whoever holds the rows longer than this keeps the next statement of the container waiting.
const LONGEST_MS = 200

/**
 * Adds what a container has counted to the fleet's counters. It asks for no trip: what it sends rides behind a COMMIT that
 * is sent anyway, and nobody waits for its answer. Whatever goes wrong with it changes nothing for the work. What is
 * counted last may never get there, since the container may never be called again: it stands in the log.
 */
export class CounterFlush {
  readonly #options: CounterFlushOptions
  readonly #now: () => number
  #nextAt = 0

  constructor(options: CounterFlushOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Sends the counts, if there are any and it is time, behind what has just been sent to this connection. Never throws. */
  readonly send = (client: GuardedClient): void => {
    const { counters, functionName, logger, schema } = this.#options
    const now = this.#now()
    // A clock that was set back must not keep them here for hours.
    if (now < this.#nextAt && this.#nextAt - now <= AFTER_REFUSAL_MS) return
    const counts = counters.take()
    if (counts.length === 0) return
    this.#nextAt = now + EVERY_MS
    const rows = counts.map(count => ({ ...count, function: functionName }))
    client.sendRaw(flushStatement(client.escapeLiteral(JSON.stringify(rows)))(schema)).catch((error: unknown) => {
      this.#nextAt = this.#now() + AFTER_REFUSAL_MS
      // An answer that was lost may have been a yes, and what is counted twice is worse than what is not.
      if (isRefusal(error)) counters.giveBack(counts)
      logger.debug({ event: 'counters.unsent', code: codeOf(error) })
    })
  }
}

/**
 * One message, which the server runs as one transaction of its own. Beside the row of the minute there is one for all
 * time, at `infinity`, which is never pruned: a counter must not fall. In one order, so that two at once do not wait for
 * each other.
 */
export function flushStatement(rows: string): Statement {
  return sql`SET LOCAL statement_timeout = ${LONGEST_MS}; SET LOCAL synchronous_commit = off;
INSERT INTO ${tables.operation_counters} (function, minute, name, label, outcome, count)
SELECT c.function, m.minute, c.name, c.label, c.outcome, c.count
FROM json_to_recordset(${rows}) AS c(function text, name text, label text, outcome text, count bigint),
  (VALUES (date_trunc('minute', now())), ('infinity'::timestamptz)) AS m(minute)
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (minute, function, name, label, outcome) DO UPDATE SET count = operation_counters.count + excluded.count`
}
