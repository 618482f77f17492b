// Data, constraints, a failed transaction, rollback, access rules, locks, cancellation, what functions raise.
const NEVER_FATAL = /^(22|23|25P0[12]|40001|40P01|42|55P03|57014|P0)/

/**
 * Whether the server itself says no and goes on with the session. It says so in its own language, so that of other words
 * only what is never said in going away counts.
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { severity, code } = error as { severity?: unknown; code?: unknown }
  return severity === 'ERROR' || (typeof severity === 'string' && typeof code === 'string' && NEVER_FATAL.test(code))
}
