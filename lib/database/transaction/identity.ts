import type { QueryResult } from 'pg'

/** Who a transaction was, as far as the server told before COMMIT: what decides later whether it was committed. */
export interface TransactionIdentity {
  /** Full transaction id; `null` as long as the transaction has written nothing. */
  readonly xid: string | null
  /** Start of the server and redo point of its last checkpoint: after a crash the id may be another's. */
  readonly serverStart: string
  readonly checkpoint: string
  /** The session that runs it, so that it can be ended from another. */
  readonly pid: number
  readonly backendStart: string
}

/** Instants as numbers, because text depends on the session's time zone. */
export const SERVER_INCARNATION = `extract(epoch FROM pg_postmaster_start_time())::text AS "serverStart", (SELECT checkpoint_lsn::text FROM pg_control_checkpoint()) AS checkpoint`

/** Rides behind a statement in the same flight. */
export const IDENTITY = `SELECT pg_current_xact_id_if_assigned()::text AS xid, ${SERVER_INCARNATION}, pg_backend_pid() AS pid, (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_get_activity(pg_backend_pid())) AS "backendStart"`

export function readIdentity(result: QueryResult | QueryResult[]): TransactionIdentity | undefined {
  return Array.isArray(result) ? undefined : (result.rows[0] as TransactionIdentity | undefined)
}
