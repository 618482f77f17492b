import type { Before, GuardedClient, RawOptions } from './guarded-client.ts'
import type { LocalSettings } from './limits.ts'
import type { PrecededQuery } from './preceded-query.ts'
import type { Statement } from './pg-internals.ts'
import { firstWord, isOneStatement } from './sql-tokens.ts'
import { LOG_POSITION, SERVER_INCARNATION, type SessionIdentity, type TransactionIdentity } from './session-identity.ts'

// Without a round trip: it is pipelined behind a statement, or ahead of one up to the same Sync.
const SESSION = `${SERVER_INCARNATION}, pg_backend_pid() AS pid, (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_get_activity(pg_backend_pid())) AS "backendStart"`
const START = `extract(epoch FROM transaction_timestamp())::text AS "transactionStart"`
const ASSIGNED = `pg_current_xact_id()::text AS xid, ${START}`
const FOUND = `pg_current_xact_id_if_assigned()::text AS xid, ${START}, ${LOG_POSITION} AS position`
// The session's part is left out where it is known: the server has not crashed since, or the session would be gone. A
// checkpoint that was made meanwhile proves nothing either way, so what is known is read again before it is old.
const IDENTITY = `SELECT ${FOUND}, ${SESSION}`
const TRANSACTION_ALONE = `SELECT ${FOUND}`
const KEPT_MS = 10_000
const TRANSACTION_COLUMNS = 2
const SESSION_COLUMNS = 7
const POSITION: Statement = { text: `SELECT ${LOG_POSITION}`, again: true }

// Insufficient privilege; a function, relation or column that this server does not have; a feature that it does not support.
const NOT_TOLD = ['42501', '42883', '42P01', '42703', '0A000']

const BEFORE_QUERIES = new Set(['SET', 'RESET', 'SHOW', 'LOCK'])
const NO_SNAPSHOT = new Set([...BEFORE_QUERIES, 'SAVEPOINT', 'RELEASE', 'ROLLBACK'])

/** Whether the server refuses the question for a transaction's identity, and will always do so. */
export function refusesIdentity(error: unknown): boolean {
  return NOT_TOLD.includes(String((error as { code?: unknown } | undefined)?.code))
}

/**
 * Whether a statement neither writes rows nor takes a snapshot. Nothing is asked behind it: the question would fix what a
 * REPEATABLE READ transaction sees, and `SET TRANSACTION` has to come before any query.
 */
export function takesNoSnapshot(text: string): boolean {
  return NO_SNAPSHOT.has(firstWord(text)) && isOneStatement(text)
}

/** Whether a statement has to come before any query of its transaction. */
export function comesBeforeQueries(text: string): boolean {
  return BEFORE_QUERIES.has(firstWord(text))
}

/**
 * Asks for the identity of the transaction that runs on this connection, behind what it has written; for `onError` see
 * `RawOptions`.
 */
export async function askIdentity(
  client: GuardedClient,
  { onError }: Pick<RawOptions, 'onError'> = {},
  now = performance.now(),
): Promise<TransactionIdentity | undefined> {
  const known = knownIdentity(client, now)
  const result = await client.sendRaw(known === undefined ? IDENTITY : TRANSACTION_ALONE, undefined, { again: true, onError })
  const [row] = Array.isArray(result) ? [] : (result.rows as TransactionIdentity[])
  if (row === undefined) return undefined
  if (known !== undefined) return { ...known, ...row }
  keepSession(client, row, now)
  return row
}

/**
 * Assigns the transaction its id ahead of a single statement that writes, and tells the identity before that statement
 * runs; the position in the log follows once it has run. `settings` hold for the transaction, as does `durable`. Costs no
 * round trip.
 */
export function identityBefore(
  client: GuardedClient,
  { settings, durable }: { settings: LocalSettings; durable: boolean },
  tell: { onIdentity: (identity: TransactionIdentity) => void; onSent: (query: PrecededQuery) => void },
  now = performance.now(),
): Before {
  const known = knownIdentity(client, now)
  const { statement, onFirstRow } = client.settingsBefore(settings, { durable })
  const { text, values } = statement
  const columns = known === undefined ? `${ASSIGNED}, ${SESSION}` : ASSIGNED
  let told: TransactionIdentity | undefined
  const onIdentity = (identity: TransactionIdentity) => tell.onIdentity((told = identity))
  return {
    statement: { text: text.replace('SELECT ', `SELECT ${columns}, `), values, again: true },
    flushed: true,
    onSent: tell.onSent,
    onFirstRow(fields) {
      const [xid, transactionStart] = fields
      const rest = fields.slice(TRANSACTION_COLUMNS)
      onFirstRow(known === undefined ? rest.slice(SESSION_COLUMNS) : rest)
      const session = known ?? sessionOf(rest as (string | null)[])
      if (known === undefined) keepSession(client, session, now)
      onIdentity({ ...session, xid: String(xid), transactionStart: String(transactionStart), position: null })
    },
    // Only behind the statement: before it the log has no record of the transaction.
    after: {
      statement: POSITION,
      onRow: ([position]) => told && onIdentity({ ...told, position: String(position) }),
    },
  }
}

function sessionOf([systemId, timeline, serverStart, checkpoint, statsReset, pid, backendStart]: readonly (string | null)[]): SessionIdentity {
  return {
    systemId: String(systemId),
    timeline: Number(timeline),
    serverStart: String(serverStart),
    checkpoint: String(checkpoint),
    statsReset: statsReset ?? null,
    pid: Number(pid),
    backendStart: String(backendStart),
  }
}

function knownIdentity({ session }: GuardedClient, now: number): SessionIdentity | undefined {
  return session !== undefined && now - session.readAt < KEPT_MS ? session.identity : undefined
}

function keepSession(client: GuardedClient, row: SessionIdentity, now: number): void {
  const { systemId, timeline, serverStart, checkpoint, statsReset, pid, backendStart } = row
  // A session on a standby outlives its promotion, which changes the timeline.
  if (timeline === null) return
  client.keepSession({ identity: { systemId, timeline, serverStart, checkpoint, statsReset, pid, backendStart }, readAt: now })
}
