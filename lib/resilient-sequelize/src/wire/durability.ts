/** The setting that decides whether COMMIT waits for the disk. */
export const SYNCHRONOUS_COMMIT = 'synchronous_commit'

const WEAK = `current_setting('${SYNCHRONOUS_COMMIT}') IN ('off', 'local')`

/** SQL of a value for `synchronous_commit`: `on` in place of `off` and `local`, else what it is, which is never weaker. */
export const RAISED = `CASE WHEN ${WEAK} THEN 'on' ELSE current_setting('${SYNCHRONOUS_COMMIT}') END`

/**
 * Sent ahead of COMMIT in the same flight: what is confirmed then survives a crash of the server, whatever the role, the
 * database or the work itself has set.
 */
export const RAISE = `SELECT set_config('${SYNCHRONOUS_COMMIT}', 'on', true) WHERE ${WEAK}`

/** As `RAISE`, for the whole session: for statements that nothing can precede in their transaction. */
export const RAISE_SESSION = `SELECT set_config('${SYNCHRONOUS_COMMIT}', 'on', false) WHERE ${WEAK}`

/** `RAISE_SESSION` on the session of that process alone: one that a pooler lends is left as it is. */
export function raiseOwnSession(pid: number): string {
  return `${RAISE_SESSION} AND pg_backend_pid() = ${pid}`
}
