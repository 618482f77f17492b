import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'

export type Severity = 'info' | 'warning' | 'critical'

/** Something that a sender or a handler noticed. */
export interface NoticedAlert {
  readonly code: string
  readonly severity: Severity
  readonly summary: string
}

/** Who hears of alerts. */
export interface AlertReceiver {
  /** Passes on what somebody else noticed. Never rejects. */
  passOn(alert: NoticedAlert, options: { readonly logger: Logger }): Promise<void>
}
