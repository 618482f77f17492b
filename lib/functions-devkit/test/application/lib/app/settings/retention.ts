import { defineSettings } from '../../../../../../functions-runtime/src/settings/settings.ts'
import { retentionDays } from '../../../../../../functions-ops/src/settings/retention.ts'

export const activityRetention = defineSettings({ ACTIVITY_RETENTION_DAYS: retentionDays(90) }, values => ({
  activityDays: values.ACTIVITY_RETENTION_DAYS,
}))
