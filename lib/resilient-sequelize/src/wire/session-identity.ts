/** Who a transaction was, as far as the server told before COMMIT: what decides later whether it was committed. */
export interface TransactionIdentity {
  /** Full transaction id; `null` as long as the transaction has written nothing. */
  readonly xid: string | null
  /** Whose word a later answer is: after a crash the id may be another's. */
  readonly serverStart: string
  readonly checkpoint: string
  readonly statsReset: string | null
  /** The session that runs it, so that it can be ended from another. */
  readonly pid: number
  readonly backendStart: string
  readonly transactionStart: string
}

/**
 * What tells one life of the server from the next. The start of the postmaster stays the same when it restarts after the
 * crash of one session; the last checkpoint and the reset of the statistics do not, since recovery ends with the one and
 * begins with the other. Instants are numbers, because text depends on the session's time zone.
 */
export const SERVER_INCARNATION = `extract(epoch FROM pg_postmaster_start_time())::text AS "serverStart", (SELECT checkpoint_lsn::text FROM pg_control_checkpoint()) AS checkpoint, (SELECT extract(epoch FROM stats_reset)::text FROM pg_stat_bgwriter) AS "statsReset"`

export type ServerIncarnation = Pick<TransactionIdentity, 'serverStart' | 'checkpoint' | 'statsReset'>

/**
 * Whether no crash lies between two answers of the server. An ordinary checkpoint moves the checkpoint alone, a person
 * who resets the statistics moves those alone; a crash moves both.
 */
export function isSameIncarnation(one: ServerIncarnation, other: ServerIncarnation): boolean {
  if (one.serverStart !== other.serverStart) return false
  return one.checkpoint === other.checkpoint || (one.statsReset !== null && one.statsReset === other.statsReset)
}

/** What of it stays the same as long as the session lives. */
export type SessionIdentity = ServerIncarnation & Pick<TransactionIdentity, 'pid' | 'backendStart'>
