import { describe, expect, it } from 'vitest'
import { retentionSettings } from '../../src/settings/retention.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'

const variables = [
  'WEBHOOK_RETENTION_DAYS',
  'WEBHOOK_REDELIVERY_DAYS',
  'WEBHOOK_UNATTRIBUTED_DAYS',
  'ACTIVITY_RETENTION_DAYS',
  'HEALTH_RETENTION_DAYS',
]

describe('the retention', () => {
  it('has defaults, also for the word none and for nothing', () => {
    expect(retentionSettings.parse({ WEBHOOK_RETENTION_DAYS: 'none', ACTIVITY_RETENTION_DAYS: '' }).value).toEqual({
      webhookDays: 30,
      redeliveryDays: 30,
      unattributedDays: 7,
      activityDays: 90,
      healthDays: 14,
    })
  })

  it('reads each variable into its own place, within its bounds', () => {
    expect(
      retentionSettings.parse({
        WEBHOOK_RETENTION_DAYS: '1',
        WEBHOOK_REDELIVERY_DAYS: '7',
        WEBHOOK_UNATTRIBUTED_DAYS: '3',
        ACTIVITY_RETENTION_DAYS: '3650',
        HEALTH_RETENTION_DAYS: '2',
      }).value,
    ).toEqual({
      webhookDays: 1,
      redeliveryDays: 7,
      unattributedDays: 3,
      activityDays: 3650,
      healthDays: 2,
    })
  })

  it.each(
    variables.flatMap(variable => ['0', '-1', 'x', '1.5', '1e2', '3651', '30 days', 'Infinity', '9'.repeat(400)].map(text => [variable, text])),
  )('refuses %s=%s by name and without repeating it', (variable, text) => {
    expect(retentionSettings.parse({ [variable]: text }).issues).toEqual([{ variable, reason: 'is no whole number from 1 to 3650' }])
  })

  it('reports all at once', () => {
    const wrong = Object.fromEntries(variables.map(variable => [variable, '0']))
    expect(() => readSettings({ retention: retentionSettings }, wrong)).toThrow(expect.objectContaining({ code: 'settings-invalid', variables }))
  })
})
