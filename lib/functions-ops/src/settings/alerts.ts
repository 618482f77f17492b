import { oneOf, optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, SettingIssues, type SettingIssue } from '../../../functions-runtime/src/settings/settings.ts'
import { readWebUrl } from '../../../functions-runtime/src/settings/web-url.ts'

/** Where alerts go. */
export interface AlertSettings {
  readonly url: string
  readonly format: 'standard' | 'slack'
  /** What alerts in the standard format are signed with. */
  readonly key: Buffer | undefined
}

const BYTES = { min: 24, max: 64 }
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

function readKey(secret: string): Buffer | undefined {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.trim()) ?? []
  const key = Buffer.from(encoded ?? '', 'base64')
  return key.length >= BYTES.min && key.length <= BYTES.max ? key : undefined
}
