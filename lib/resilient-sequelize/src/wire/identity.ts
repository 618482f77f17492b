import type { Before, GuardedClient, RawOptions } from './guarded-client.ts'
import type { LocalSettings } from './limits.ts'
import type { PrecededQuery } from './preceded-query.ts'
import { SERVER_INCARNATION, type SessionIdentity, type TransactionIdentity } from './session-identity.ts'
import { firstWord, isOneStatement } from './sql-tokens.ts'

// Without a round trip: it is pipelined behind a statement, or ahead of one up to the same Sync.
const SESSION = `${SERVER_INCARNATION}, pg_backend_pid() AS pid, (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_get_activity(pg_backend_pid())) AS "backendStart"`
const START = `extract(epoch FROM transaction_timestamp())::text AS "transactionStart"`
const IDENTITY = `SELECT pg_current_xact_id_if_assigned()::text AS xid, ${SESSION}, ${START}`
const ASSIGNED_IDENTITY = `pg_current_xact_id()::text AS xid, ${SESSION}, ${START}`

// The rest, on a session whose own is known: the server has not crashed since, or the session would be gone. A checkpoint
// that was made meanwhile proves nothing either way, so what is known is read again before it is old.
const TRANSACTION_ALONE = `SELECT pg_current_xact_id_if_assigned()::text AS xid, ${START}`
const ASSIGNED_ALONE = `pg_current_xact_id()::text AS xid, ${START}`
const KEPT_MS = 10_000
const FULL_COLUMNS = 7
const ALONE_COLUMNS = 2

const BEFORE_QUERIES = new Set(['SET', 'RESET', 'SHOW', 'LOCK'])
const NO_SNAPSHOT = new Set([...BEFORE_QUERIES, 'SAVEPOINT', 'RELEASE', 'ROLLBACK'])

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

/** Asks for the identity of the transaction that runs on this connection; for `onError` see `RawOptions`. */
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
 * runs. `settings` hold for the transaction. Costs no round trip.
 */
export function identityBefore(
  client: GuardedClient,
  settings: LocalSettings,
  tell: { onIdentity: (identity: TransactionIdentity) => void; onSent: (query: PrecededQuery) => void },
  now = performance.now(),
): Before {
  const known = knownIdentity(client, now)
  const { statement, onFirstRow } = client.settingsBefore(settings)
  const { text, values } = statement
  const identity = known === undefined ? ASSIGNED_IDENTITY : ASSIGNED_ALONE
  return {
    statement: { text: text.replace('SELECT ', `SELECT ${identity}, `), values, again: true },
    flushed: true,
    onSent: tell.onSent,
    onFirstRow(fields) {
      onFirstRow(fields.slice(known === undefined ? FULL_COLUMNS : ALONE_COLUMNS))
      if (known !== undefined) return tell.onIdentity({ ...known, xid: String(fields[0]), transactionStart: String(fields[1]) })
      const [xid, serverStart, checkpoint, statsReset, pid, backendStart, transactionStart] = fields as (string | null)[]
      const told = { xid: String(xid), serverStart: String(serverStart), checkpoint: String(checkpoint), statsReset: statsReset ?? null }
      const row = { ...told, pid: Number(pid), backendStart: String(backendStart), transactionStart: String(transactionStart) }
      keepSession(client, row, now)
      tell.onIdentity(row)
    },
  }
}

function knownIdentity({ session }: GuardedClient, now: number): SessionIdentity | undefined {
  return session !== undefined && now - session.readAt < KEPT_MS ? session.identity : undefined
}

function keepSession(client: GuardedClient, row: TransactionIdentity, now: number): void {
  const { serverStart, checkpoint, statsReset, pid, backendStart } = row
  client.keepSession({ identity: { serverStart, checkpoint, statsReset, pid, backendStart }, readAt: now })
}
