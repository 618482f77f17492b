import type { Severity } from '../../../webhook-inbox/src/inbox/alert.ts'

/** Alert kinds of the framework. */
export const alertKinds = [
  'database-unavailable',
  'retries-high',
  'fallbacks-high',
  'pool-exhausted',
  'breaker-open',
  'events-parked',
  'event-overdue',
  'buffer-filling',
  'buffer-stuck',
  'certificate-expiring',
  'connections-high',
] as const

/** How one thing stands that is watched for. */
export interface Finding {
  /** One of `alertKinds`, or the kind of a watch. */
  readonly kind: string
  readonly severity: Severity
  /** In words, without the figures. */
  readonly summary: string
  /** `undefined` when it could not be seen: it is neither raised nor over then. */
  readonly observed: number | undefined
  /** From here on it is worth an alert; what counts down (`falling`) up to here. */
  readonly threshold: number
  readonly falling?: boolean
}

/** What is sent to operators; holds neither host, user nor secret. Each format escapes `code` and `summary`: others may have written them. */
export interface Alert {
  readonly state: 'raised' | 'recovered'
  readonly code: string
  readonly severity: Severity
  readonly summary: string
  readonly observed?: number
  readonly threshold?: number
}

/** Who says it: the functions of one namespace on the platform, if that is known. */
export interface Sender {
  readonly namespace: string | undefined
}

export function isWorthAnAlert({ observed, threshold, falling = false }: Finding): boolean | undefined {
  if (observed === undefined) return undefined
  return falling ? observed <= threshold : observed >= threshold
}

export function alertOf({ kind, severity, summary, observed, threshold }: Finding, state: Alert['state']): Alert {
  const figures = { ...(observed === undefined ? {} : { observed }), threshold }
  return { state, code: kind, severity: state === 'raised' ? severity : 'info', summary, ...figures }
}
