import { describe, expect, it } from 'vitest'
import { defineRetention, retentionSettings } from '../../src/settings/retention.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'

const variables = ['WEBHOOK_RETENTION_DAYS', 'WEBHOOK_REDELIVERY_DAYS', 'WEBHOOK_UNATTRIBUTED_DAYS', 'HEALTH_RETENTION_DAYS']

const DAY_MS = 86_400_000
const notes = { name: 'notes', table: 'notes', since: 'written_at' }
const drafts = { name: 'drafts', table: 'notes', since: 'changed_at', only: 'NOT sent' }
const ownRetention = defineRetention([
  { ...notes, keepDays: { setting: 'NOTE_RETENTION_DAYS', fallback: 90 } },
  { ...drafts, keepDays: 2 },
])

describe('the retention of tables of an application', () => {
  it('reads the variables that they name', () => {
    expect(ownRetention.variables).toEqual(['NOTE_RETENTION_DAYS'])
    const keptFor = (days: number) => [
      { ...notes, keepMs: days * DAY_MS },
      { ...drafts, keepMs: 2 * DAY_MS },
    ]
    expect(ownRetention.parse({ NOTE_RETENTION_DAYS: '3650' }).value).toEqual(keptFor(3650))
    for (const none of [{}, { NOTE_RETENTION_DAYS: 'none' }, { NOTE_RETENTION_DAYS: '' }]) {
      expect(ownRetention.parse(none).value).toEqual(keptFor(90))
    }
  })
})

describe('the retention', () => {
  it('has defaults, also for the word none and for nothing', () => {
    expect(retentionSettings.parse({ WEBHOOK_RETENTION_DAYS: 'none', HEALTH_RETENTION_DAYS: '' }).value).toEqual({
      webhookDays: 30,
      redeliveryDays: 30,
      unattributedDays: 7,
      healthDays: 14,
    })
  })

  it('reads each variable into its own place, within its bounds', () => {
    expect(
      retentionSettings.parse({
        WEBHOOK_RETENTION_DAYS: '1',
        WEBHOOK_REDELIVERY_DAYS: '7',
        WEBHOOK_UNATTRIBUTED_DAYS: '3',
        HEALTH_RETENTION_DAYS: '3650',
      }).value,
    ).toEqual({
      webhookDays: 1,
      redeliveryDays: 7,
      unattributedDays: 3,
      healthDays: 3650,
    })
  })

  it.each(
    [...variables, 'NOTE_RETENTION_DAYS'].flatMap(variable =>
      ['0', '-1', 'x', '1.5', '1e2', '3651', '30 days', 'Infinity', '9'.repeat(400)].map(text => [variable, text]),
    ),
  )('refuses %s=%s by name and without repeating it', (variable, text) => {
    const group = variable === 'NOTE_RETENTION_DAYS' ? ownRetention : retentionSettings
    expect(group.parse({ [variable]: text }).issues).toEqual([{ variable, reason: 'is no whole number from 1 to 3650' }])
  })

  it('reports all at once', () => {
    const wrong = Object.fromEntries(variables.map(variable => [variable, '0']))
    expect(() => readSettings({ retention: retentionSettings }, wrong)).toThrow(expect.objectContaining({ code: 'settings-invalid', variables }))
  })
})
