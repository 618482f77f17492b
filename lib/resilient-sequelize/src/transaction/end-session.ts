import type { GuardedClient } from '../wire/guarded-client.ts'
import { SETTING_MARK } from '../wire/limits.ts'

/** A session of ours that nobody listens to any more. */
export type LostSession = ToldSession | UntoldSession

/** A session whose process id is known. */
export interface ToldSession {
  readonly pid: number
  /** `undefined` when the session was lost before it told; its name then guards against hitting another's. */
  readonly backendStart?: string | undefined
  /** The start of the transaction that was lost with it: through a pooler another client's may run there by now. */
  readonly transactionStart?: string | undefined
}

/** A session that a pooler lent, and whose process id did not arrive. */
export interface UntoldSession {
  readonly pid?: undefined
  /** How long the client waited for the answer, in ms. */
  readonly waitedMs: number
}

// Process ids are used again: the start of the session, or else the application name that only this container has,
// says whether it is still the one that was meant. A session that waits for a synchronous standby has committed already:
// ending it would make that visible before the standby has it.
const END_SESSION = `SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity
  WHERE pid = $1 AND pid <> pg_backend_pid() AND usename = current_user AND wait_event IS DISTINCT FROM 'SyncRep'
    AND CASE WHEN $2::text IS NULL THEN application_name = current_setting('application_name') ELSE extract(epoch FROM backend_start)::text = $2 END
    AND ($4::text IS NULL OR extract(epoch FROM xact_start)::text = $4)`
// When half of a flight is lost, the session waits for the rest in state `active`, and no time limit of the server ends that.
// It is recognised by its last statement: a COPY waits for its client in the same state.
const END_UNTOLD = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid <> pg_backend_pid() AND usename = current_user AND datname = current_database()
    AND application_name = current_setting('application_name') AND state = 'active' AND wait_event = 'ClientRead'
    AND strpos(query, '${SETTING_MARK}') > 0 AND xact_start <= now() - make_interval(secs => $1::float8 / 1000)`
const WAIT_MS = 1_000
// A server that does not answer is asked over another connection, for which time has to be left.
export const ANSWER_MS = 1_500

/**
 * Ends a session that was lost in silence, and waits a moment until it is gone: as long as it lives it holds its locks,
 * and the same work on a new connection would wait for them. Takes 1.5 s at most.
 */
export async function endSession(connection: GuardedClient, { pid, backendStart, transactionStart }: ToldSession, leftMs: number): Promise<void> {
  const timeoutMs = Math.max(1, Math.min(ANSWER_MS, leftMs))
  const waitMs = Math.min(WAIT_MS, Math.max(1, Math.floor(timeoutMs)))
  await connection.sendRaw(END_SESSION, [pid, backendStart ?? null, waitMs, transactionStart ?? null], { timeoutMs })
}

/**
 * Terminates a lent session whose process id is unknown. The statement is pipelined ahead of the next ones and its answer is
 * not awaited: no other work waits for that session, and when the pooler is full the next statement must report it.
 */
export function sendEndOfUntold(connection: GuardedClient, { waitedMs }: UntoldSession): void {
  connection.sendRaw(END_UNTOLD, [waitedMs]).catch(() => undefined)
}
