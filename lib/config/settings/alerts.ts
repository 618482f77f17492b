import { integer, oneOf, optionalText } from '../schemas.ts'
import { defineSettings, SettingIssues, type SettingIssue } from '../settings.ts'
import { readWebUrl } from '../web-url.ts'

/** Where alerts go. */
export interface AlertSettings {
  readonly url: string
  readonly format: 'standard' | 'slack'
  /** What alerts in the standard format are signed with. */
  readonly key: Buffer | undefined
}

/** From where on something is worth an alert: the threshold itself counts. */
export interface AlertThresholds {
  /** Scheduled checks in a row that the database failed. */
  readonly databaseFailures: number
  /** Tries again since the last check, in the whole fleet; so are the next three. */
  readonly retries: number
  readonly fallbacks: number
  readonly poolExhausted: number
  readonly breakerOpened: number
  readonly parkedEvents: number
  /** How long the oldest event has been due, in ms. */
  readonly eventAgeMs: number
  /** Of the buffer's limit. */
  readonly bufferPercent: number
  readonly certificateDays: number
  /** Of the connections that the server has for ordinary users. */
  readonly connectionsPercent: number
}

const BYTES = { min: 24, max: 64 }
const most = { min: 1, max: 1_000_000_000 }
const percent = { min: 1, max: 100 }

/** Who hears of alerts, if anybody does. */
export const alertSettings = defineSettings(
  { ALERT_URL: optionalText(), ALERT_FORMAT: oneOf(['standard', 'slack'], 'standard'), ALERT_SECRET: optionalText() },
  ({ ALERT_URL: url, ALERT_FORMAT: format, ALERT_SECRET: secret }): AlertSettings | undefined => {
    const issues: SettingIssue[] = []
    const read = url === undefined ? undefined : readWebUrl(url)
    if (read !== undefined && 'refused' in read) issues.push({ variable: 'ALERT_URL', reason: read.refused })
    const key = secret === undefined ? undefined : readKey(secret)
    if (secret !== undefined && key === undefined) issues.push({ variable: 'ALERT_SECRET', reason: 'is not whsec_ and base64 of 24 to 64 bytes' })
    if (url !== undefined && format === 'standard' && secret === undefined)
      issues.push({ variable: 'ALERT_SECRET', reason: 'is missing: alerts in the standard format are signed' })
    if (issues.length > 0) throw new SettingIssues(issues)
    return url === undefined ? undefined : Object.freeze({ url, format, key })
  },
)

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
      certificateDays: values.ALERT_CERTIFICATE_DAYS,
      connectionsPercent: values.ALERT_CONNECTIONS_PERCENT,
    }),
)

function readKey(secret: string): Buffer | undefined {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.trim()) ?? []
  const key = Buffer.from(encoded ?? '', 'base64')
  return key.length >= BYTES.min && key.length <= BYTES.max ? key : undefined
}
