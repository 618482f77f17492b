import { describe, expect, it } from 'vitest'
import { retentionSettings } from '../../../lib/config/settings/retention.ts'
import { readSettings } from '../../../lib/config/settings.ts'

const variables = ['WEBHOOK_RETENTION_DAYS', 'ACTIVITY_RETENTION_DAYS']

describe('the retention', () => {
  it('has defaults, also for the word none and for nothing', () => {
    expect(retentionSettings.parse({ WEBHOOK_RETENTION_DAYS: 'none', ACTIVITY_RETENTION_DAYS: '' }).value).toEqual({
      webhookDays: 30,
      activityDays: 90,
    })
  })

  it('reads each variable into its own place, within its bounds', () => {
    expect(retentionSettings.parse({ WEBHOOK_RETENTION_DAYS: '1', ACTIVITY_RETENTION_DAYS: '3650' }).value).toEqual({
      webhookDays: 1,
      activityDays: 3650,
    })
  })

  it.each(
    variables.flatMap(variable => ['0', '-1', 'x', '1.5', '1e2', '3651', '30 days', 'Infinity', '9'.repeat(400)].map(text => [variable, text])),
  )('refuses %s=%s by name and without repeating it', (variable, text) => {
    expect(retentionSettings.parse({ [variable]: text }).issues).toEqual([{ variable, reason: 'is no whole number from 1 to 3650' }])
  })

  it('reports both at once', () => {
    expect(() => readSettings({ retention: retentionSettings }, { WEBHOOK_RETENTION_DAYS: '0', ACTIVITY_RETENTION_DAYS: '-1' })).toThrow(
      expect.objectContaining({ code: 'settings-invalid', variables }),
    )
  })
})
