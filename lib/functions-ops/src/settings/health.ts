import { createHash } from 'node:crypto'
import { integer, optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, SettingIssues } from '../../../functions-runtime/src/settings/settings.ts'
import { readWebUrl } from '../../../functions-runtime/src/settings/web-url.ts'

/** Who may see details: SHA-256 of each key. None: nobody. */
export interface HealthKeys {
  readonly digests: readonly Buffer[]
}

/** The scheduled check. */
export interface ScheduleSettings {
  /** How often it runs, in ms. */
  readonly everyMs: number
  /** Is called after each run, so that somebody outside notices when there is none any more. */
  readonly heartbeatUrl: string | undefined
}

const SHORTEST_KEY = 20

/** Keys for the details: two while one is being replaced. */
export const healthKeySettings = defineSettings({ HEALTH_KEY: optionalText() }, ({ HEALTH_KEY: text }): HealthKeys => {
  const keys = text?.trim().split(/\s+/) ?? []
  if (keys.some(key => key.length < SHORTEST_KEY))
    throw new SettingIssues([{ variable: 'HEALTH_KEY', reason: `holds a key shorter than ${SHORTEST_KEY} characters (blanks separate keys)` }])
  return Object.freeze({ digests: keys.map(key => createHash('sha256').update(key).digest()) })
})

/** The schedule of `project.yml`, and who is told of each run. */
export const scheduleSettings = defineSettings(
  { HEALTH_EVERY_SECONDS: integer({ min: 10, max: 86_400, fallback: 300 }), HEARTBEAT_URL: optionalText() },
  ({ HEALTH_EVERY_SECONDS: seconds, HEARTBEAT_URL: url }): ScheduleSettings => {
    const read = url === undefined ? undefined : readWebUrl(url)
    if (read !== undefined && 'refused' in read) throw new SettingIssues([{ variable: 'HEARTBEAT_URL', reason: read.refused }])
    return Object.freeze({ everyMs: seconds * 1000, heartbeatUrl: url })
  },
)
