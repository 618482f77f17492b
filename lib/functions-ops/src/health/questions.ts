import type { TLSSocket } from 'node:tls'
import type { QueryResult } from 'pg'
import type { GuardedClient } from '../../../resilient-sequelize/src/wire/guarded-client.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { sql, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import { tables as runtimeTables } from '../../../functions-runtime/src/database/tables.ts'

/** What a server tells of itself. */
export interface ServerFacts {
  readonly version: string
  readonly role: 'primary' | 'replica'
  /** Whether it takes writes: not a replica, and not one that its provider has locked. */
  readonly writable: boolean
  readonly sessions: number
  /** Sessions that ordinary users may have. */
  readonly capacity: number
}

/** What one look at the database saw. What could not be seen is told by its code. */
export interface DatabaseLook {
  readonly server: ServerFacts
  /** Of TLS, epoch ms; `undefined` where the connection has none. */
  readonly certificateEndsAt: number | undefined
  readonly migrations: { readonly pending: readonly string[] } | { readonly unseen: string }
  readonly schedule: { readonly lastAgeMs: number | null; readonly tableAgeMs: number | null } | { readonly unseen: string }
}

const LONGEST_MS = 2_000
const UNDEFINED_TABLE = '42P01'
const limited = (text: Statement | string) => sql`SET LOCAL statement_timeout = ${LONGEST_MS}; ${text}`
const FACTS = limited(`
  SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS replica, current_setting('transaction_read_only') = 'off' AS writable,
    count(*)::int AS sessions, current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS capacity
  FROM pg_stat_get_activity(NULL) WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'`)
const APPLIED = limited(sql`SELECT name FROM ${runtimeTables.schema_migrations}`)
// A schedule that never ran has no row: then it counts for how long there could have been one.
const SCHEDULE = limited(sql`
  SELECT (extract(epoch FROM now() - max(checked_at)) * 1000)::float8 AS "lastAgeMs",
    (SELECT (extract(epoch FROM now() - min(applied_at)) * 1000)::float8 FROM ${runtimeTables.schema_migrations} WHERE name IN ('2026-11-24-health-tables', '2026-11-30-ops-tables')) AS "tableAgeMs"
  FROM ${tables.health_checks}`)

/**
 * Asks everything at once, in one flight. Each question has a limit of its own on the server, so that a table that
 * somebody has locked hides nothing but what is in it.
 * @throws what the first question met: then there is no database to speak of.
 */
export async function askDatabase(
  client: GuardedClient,
  { schema, migrations }: { schema: string; migrations: readonly string[] },
): Promise<DatabaseLook> {
  const toPending = (rows: readonly { name: string }[]): DatabaseLook['migrations'] => {
    const names = new Set(rows.map(({ name }) => name))
    return { pending: migrations.filter(name => !names.has(name)) }
  }
  const facts = rowsOf<{ version: string; replica: boolean; writable: boolean; sessions: number; capacity: number }>(client, FACTS(schema))
  const applied = rowsOf<{ name: string }>(client, APPLIED(schema)).then(toPending, (error: unknown) =>
    codeOf(error) === UNDEFINED_TABLE ? toPending([]) : toUnseen(error),
  )
  const schedule = rowsOf<{ lastAgeMs: number | null; tableAgeMs: number | null }>(client, SCHEDULE(schema)).then(
    ([row]) => row ?? { lastAgeMs: null, tableAgeMs: null },
    toUnseen,
  )
  const [server] = await facts
  if (server === undefined) throw new Error('the server told nothing of itself')
  const { replica, ...rest } = server
  return {
    server: { ...rest, role: replica ? 'replica' : 'primary' },
    certificateEndsAt: certificateEnd(client),
    migrations: await applied,
    schedule: await schedule,
  }
}

/** Runs one message of several statements, the last of which gives the rows. */
export async function rowsOf<Row extends object>(client: GuardedClient, text: string): Promise<Row[]> {
  const answer = (await client.sendRaw(text, undefined, { timeoutMs: 2 * LONGEST_MS })) as QueryResult<Row> | QueryResult<Row>[]
  return (Array.isArray(answer) ? answer.at(-1) : answer)?.rows ?? []
}

function toUnseen(error: unknown): { unseen: string } {
  return { unseen: codeOf(error) }
}

function certificateEnd(client: GuardedClient): number | undefined {
  const socket = client.connection.stream as Partial<TLSSocket>
  const validTo = socket.getPeerCertificate?.().valid_to
  const at = validTo === undefined ? Number.NaN : Date.parse(validTo)
  return Number.isFinite(at) ? at : undefined
}
