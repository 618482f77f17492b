import { integer } from '../schemas.ts'
import { defineSettings } from '../settings.ts'

export interface RetentionSettings {
  /** Days for which processed webhook events are kept. */
  readonly webhookDays: number
}

/** How long rows are kept. */
export const retentionSettings = defineSettings(
  { WEBHOOK_RETENTION_DAYS: integer({ min: 1, max: 3650, fallback: 30 }) },
  (values): RetentionSettings => Object.freeze({ webhookDays: values.WEBHOOK_RETENTION_DAYS }),
)
