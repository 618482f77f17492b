/** `unknown`: what the check looks at could not be seen, and says nothing either way. */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'unknown'

/** One measured value, as "Health Check Response Format for HTTP APIs" (draft-inadarei-api-health-check-06) has it. */
export interface Check {
  /** Component and measurement, such as `database:responseTime`. */
  readonly name: string
  readonly componentType: 'datastore' | 'component' | 'system'
  readonly status: CheckStatus
  readonly observedValue?: string | number | boolean | null
  readonly observedUnit?: string
  /** When it was observed, ISO 8601. */
  readonly time: string
  /** What does not work while it fails. */
  readonly affectedEndpoints?: readonly string[]
  /** Code of what went wrong; never a message. */
  readonly output?: string
  /** Whether everything fails with it; else the whole is only warned of. */
  readonly vital?: boolean
}

/** What all checks together say. What is unknown decides nothing. */
export function statusOf(checks: readonly Check[]): 'pass' | 'warn' | 'fail' {
  if (checks.some(({ status, vital = true }) => status === 'fail' && vital)) return 'fail'
  return checks.some(({ status }) => status === 'fail' || status === 'warn') ? 'warn' : 'pass'
}
