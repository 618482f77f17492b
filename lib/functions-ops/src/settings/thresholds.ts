import { integer } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings } from '../../../functions-runtime/src/settings/settings.ts'

/** From where on something is worth an alert: the threshold itself counts. */
export interface AlertThresholds {
  /** Scheduled checks in a row that the database failed. */
  readonly databaseFailures: number
  /** Tries again in the last interval, in the whole fleet; so are the next three. */
  readonly retries: number
  readonly fallbacks: number
  readonly poolExhausted: number
  readonly breakerOpened: number
  readonly parkedEvents: number
  /** How long the oldest event has been due, in ms. */
  readonly eventAgeMs: number
  /** Of the buffer's limit. */
  readonly bufferPercent: number
  /** How long the oldest event has waited in the buffer, in ms. */
  readonly bufferAgeMs: number
  readonly certificateDays: number
  /** Of the connections that the server has for ordinary users. */
  readonly connectionsPercent: number
}

const most = { min: 1, max: 1_000_000_000 }
const percent = { min: 1, max: 100 }

/** What is worth an alert. */
export const thresholdSettings = defineSettings(
  {
    ALERT_DATABASE_FAILURES: integer({ ...most, fallback: 1 }),
    ALERT_RETRIES: integer({ ...most, fallback: 100 }),
    ALERT_FALLBACKS: integer({ ...most, fallback: 100 }),
    ALERT_POOL_EXHAUSTED: integer({ ...most, fallback: 10 }),
    ALERT_BREAKER_OPENED: integer({ ...most, fallback: 1 }),
    ALERT_PARKED_EVENTS: integer({ ...most, fallback: 1 }),
    ALERT_EVENT_AGE_SECONDS: integer({ ...most, fallback: 900 }),
    ALERT_BUFFER_PERCENT: integer({ ...percent, fallback: 50 }),
    ALERT_BUFFER_AGE_SECONDS: integer({ ...most, fallback: 900 }),
    ALERT_CERTIFICATE_DAYS: integer({ min: 1, max: 3650, fallback: 21 }),
    ALERT_CONNECTIONS_PERCENT: integer({ ...percent, fallback: 90 }),
  },
  (values): AlertThresholds =>
    Object.freeze({
      databaseFailures: values.ALERT_DATABASE_FAILURES,
      retries: values.ALERT_RETRIES,
      fallbacks: values.ALERT_FALLBACKS,
      poolExhausted: values.ALERT_POOL_EXHAUSTED,
      breakerOpened: values.ALERT_BREAKER_OPENED,
      parkedEvents: values.ALERT_PARKED_EVENTS,
      eventAgeMs: values.ALERT_EVENT_AGE_SECONDS * 1000,
      bufferPercent: values.ALERT_BUFFER_PERCENT,
      bufferAgeMs: values.ALERT_BUFFER_AGE_SECONDS * 1000,
      certificateDays: values.ALERT_CERTIFICATE_DAYS,
      connectionsPercent: values.ALERT_CONNECTIONS_PERCENT,
    }),
)
