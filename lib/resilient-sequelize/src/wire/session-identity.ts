/** Who a transaction was, as far as the server told before COMMIT: what decides later whether it was committed. */
export interface TransactionIdentity {
  /** Full transaction id; `null` as long as the transaction has written nothing. */
  readonly xid: string | null
  /**
   * A position in the server's log behind the first record of the transaction: whatever has replayed the log so far knows
   * the id. `null` when it is not known.
   */
  readonly position: string | null
  /** The server that gave the id. */
  readonly systemId: string
  /** Its timeline: a standby that is promoted begins the next one. `null` while it is a standby itself. */
  readonly timeline: number | null
  /** Its life: after a crash the id may be another transaction's. */
  readonly serverStart: string
  readonly checkpoint: string
  readonly statsReset: string | null
  /** The session that runs it, so that it can be ended from another. */
  readonly pid: number
  readonly backendStart: string
  readonly transactionStart: string
}

/** SQL of the system identifier: a standby has that of its primary. */
export const SYSTEM_ID = '(SELECT system_identifier::text FROM pg_control_system())'

/** SQL of the timeline that the server writes; null on a standby. */
export const TIMELINE = unlessRecovering("('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int")

/** SQL of the end of the server's log; null on a standby. */
export const LOG_POSITION = unlessRecovering('pg_current_wal_insert_lsn()::text')

/**
 * What tells one life of the server from the next. The start of the postmaster stays the same when it restarts after the
 * crash of one session; the last checkpoint and the reset of the statistics do not, since recovery ends with the one and
 * begins with the other. Instants are numbers, because text depends on the session's time zone.
 */
export const SERVER_INCARNATION = `${SYSTEM_ID} AS "systemId", ${TIMELINE} AS timeline, extract(epoch FROM pg_postmaster_start_time())::text AS "serverStart", (SELECT checkpoint_lsn::text FROM pg_control_checkpoint()) AS checkpoint, (SELECT extract(epoch FROM stats_reset)::text FROM pg_stat_bgwriter) AS "statsReset"`

export type ServerIncarnation = Pick<TransactionIdentity, 'systemId' | 'timeline' | 'serverStart' | 'checkpoint' | 'statsReset'>

/**
 * Whether no crash lies between two answers of the server. An ordinary checkpoint moves the checkpoint alone, a person
 * who resets the statistics moves those alone; a crash moves both.
 */
export function isSameIncarnation(one: ServerIncarnation, other: ServerIncarnation): boolean {
  if (one.systemId !== other.systemId || one.timeline !== other.timeline || one.serverStart !== other.serverStart) return false
  return one.checkpoint === other.checkpoint || (one.statsReset !== null && one.statsReset === other.statsReset)
}

/** What of it stays the same as long as the session lives. */
export type SessionIdentity = ServerIncarnation & Pick<TransactionIdentity, 'pid' | 'backendStart'>

// A standby refuses to tell either.
function unlessRecovering(sql: string): string {
  return `CASE WHEN pg_is_in_recovery() THEN NULL ELSE ${sql} END`
}
