import type { QueryResult } from 'pg'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { wrapHookError } from '../errors/annotate.ts'
import { NestedOperationError } from '../errors/errors.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { QueryCallback, Statement } from '../wire/pg-internals.ts'
import { canBePreceded } from '../wire/preceded-query.ts'
import type { OperationTools } from './context.ts'
import { runOperation } from './operation.ts'

export interface StandAloneOptions {
  readonly tools: OperationTools
  /** Without a deadline: how long a connection is waited for, retries included, in ms. */
  readonly acquireMs: number
  /** Texts that the server refused in a read-only transaction. */
  readonly writingReads: Set<string>
}

const NAME = 'sequelize.query'
// Row locks are refused in a read-only transaction.
const LOCKING = /\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b/i
// A word, or a quoted name, before a parenthesis: a call, or a keyword that is listed with the functions below.
const CALL = /(?:([a-z_][\w$]*)|")\s*\(/gi
const PURE = new Set(
  (
    'abs all and any array array_agg array_length array_to_json as avg between bool_and bool_or btrim by case cast ceil ceiling char_length coalesce concat ' +
    'concat_ws count current_setting current_timestamp date date_part date_trunc decimal distinct else end every exists extract filter first_value floor from ' +
    'greatest group having ilike in initcap interval is join json_agg json_array_length json_build_object json_object_agg jsonb_agg jsonb_array_length ' +
    'jsonb_build_object lag last_value lateral lead least left length like limit localtimestamp lower ltrim max min not now nullif numeric offset on or order ' +
    'over partition percentile_cont position random rank replace right round row row_number row_to_json rtrim select similar some split_part string_agg ' +
    'substr substring sum then timestamp timestamptz to_char to_json to_jsonb to_number to_timestamp trim trunc union unnest upper using values varchar when where within'
  ).split(' '),
)
const READ_ONLY_TRANSACTION = '25006'
// A text that is made up for each call must not be kept for ever.
const MOST_TEXTS = 500

/**
 * What Sequelize takes for the connection of a call outside of any transaction: each statement that it sends is one
 * operation, on whichever connection is alive.
 */
export class StandAloneConnection {
  /** Sequelize shows it in its log: `default` outside of a transaction. */
  uuid: undefined
  readonly #options: StandAloneOptions

  constructor(options: StandAloneOptions) {
    this.#options = options
  }

  query(text: string, ...rest: [QueryCallback] | [readonly unknown[], QueryCallback]): void {
    const callback = rest.at(-1) as QueryCallback
    const values = rest.length === 2 ? rest[0] : undefined
    runStatement({ text, values }, this.#options).then(
      result => callback(null, result),
      (error: Error) => callback(wrapHookError(error)),
    )
  }
}

/**
 * Runs one statement that commits by itself. A read runs in a read-only transaction of its own, in one flight, so that it
 * may be sent again when its connection is lost; where the server refuses that, because the statement writes after all,
 * it is sent as it is. What writes is sent again only when it is certain that it was not applied.
 * @throws what the server or the driver said; CodedError for what the database or the way to it did.
 */
async function runStatement(statement: Statement, { tools, acquireMs, writingReads }: StandAloneOptions): Promise<QueryResult> {
  const given = currentDeadline()
  const deadline = given ?? openDeadline({ remainingMs: acquireMs, reserveMs: 0 })
  const run = (mode: 'read' | 'autocommit') =>
    runOperation(
      { name: NAME, mode, deadline, signal: deadline.signal, patient: given === undefined, keepsParsed: false, standAlone: true },
      tools,
      (_, connection) => ask(connection, statement),
    )
  try {
    const reads = isRead(statement) && !writingReads.has(statement.text)
    if (!reads) return await run('autocommit')
    try {
      return await run('read')
    } catch (error) {
      if (codeOf(error instanceof NestedOperationError ? error.cause : error) !== READ_ONLY_TRANSACTION) throw error
      if (writingReads.size >= MOST_TEXTS) writingReads.clear()
      writingReads.add(statement.text)
      return await run('autocommit')
    }
  } finally {
    if (given === undefined) deadline.clear()
  }
}

/**
 * Whether a statement may run in a read-only transaction, and be repeated: a single query without row locks that calls no
 * function but those known to do nothing else. A function may write, catch the server's refusal, or reach outside.
 */
function isRead(statement: Statement): boolean {
  if (!canBePreceded(statement) || LOCKING.test(statement.text)) return false
  return [...statement.text.matchAll(CALL)].every(([, name = '"']) => PURE.has(name.toLowerCase()))
}

function ask(connection: GuardedClient, statement: Statement): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    connection.ask(statement, (error, result) => (error ? reject(error) : resolve(result as QueryResult)))
  })
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}
