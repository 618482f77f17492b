import { defineSettings } from '../../functions-runtime/src/settings/settings.ts'
import { retentionDays } from '../../functions-ops/src/settings/retention.ts'

export interface ActivityRetention {
  /** Days for which activities are kept. */
  readonly activityDays: number
}

/** How long rows of this application are kept. */
export const activityRetention = defineSettings({ ACTIVITY_RETENTION_DAYS: retentionDays(90) }, (values): ActivityRetention =>
  Object.freeze({ activityDays: values.ACTIVITY_RETENTION_DAYS }),
)
