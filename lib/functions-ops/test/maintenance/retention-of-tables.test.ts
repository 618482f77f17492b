import { describe, expect, it } from 'vitest'
import type { Model } from 'sequelize'
import { defineTable } from '../../../functions-runtime/src/database/define-table.ts'
import type { Retention } from '../../../functions-runtime/src/database/retention.ts'
import { keptTablesOf, prunedTablesOf } from '../../src/maintenance/retention-of-tables.ts'
import { defineRetention } from '../../src/settings/retention.ts'

const table = (name: string, keep: Retention) => defineTable<Model>()({ name, model: name, columns: () => ({}), keep })

const declaredTables = {
  activities: table('user_activities', { since: 'created_at', keepDays: { setting: 'ACTIVITY_DAYS', fallback: 90 } }),
  balances: table('balances', 'forever'),
  events: table('events', 'by-its-package'),
  mails: table('mails', [
    { name: 'mailBodies', since: 'sent_at', keepDays: 7, clear: ['body'], set: 'state = 0' },
    { since: 'sent_at', keepDays: 30 },
  ]),
  users: table('users', ['forever', { name: 'trialUsers', since: 'erased_at', only: 'trial', keepDays: 1 }]),
}

describe('the retention of tables', () => {
  it('is what each table says, named after it by default', () => {
    expect(prunedTablesOf(declaredTables)).toEqual([
      { name: 'userActivities', table: 'user_activities', since: 'created_at', keepDays: { setting: 'ACTIVITY_DAYS', fallback: 90 } },
      { name: 'mailBodies', table: 'mails', since: 'sent_at', keepDays: 7, clear: ['body'], set: 'state = 0' },
      { name: 'mails', table: 'mails', since: 'sent_at', keepDays: 30 },
      { name: 'trialUsers', table: 'users', since: 'erased_at', only: 'trial', keepDays: 1 },
    ])
  })

  it('keeps a table of which some rows are deleted', () => {
    expect(keptTablesOf(declaredTables)).toEqual(['balances', 'users'])
  })

  it('is read from the settings that it names', () => {
    const retention = defineRetention(prunedTablesOf(declaredTables))
    expect(retention.variables).toEqual(['ACTIVITY_DAYS'])
    expect(retention.parse({ ACTIVITY_DAYS: '2' }).value?.map(({ name, keepMs }) => [name, keepMs / 86_400_000])).toEqual([
      ['userActivities', 2],
      ['mailBodies', 7],
      ['mails', 30],
      ['trialUsers', 1],
    ])
  })

  it.each([
    [
      {
        a: table('mails', [
          { since: 'at', keepDays: 1, clear: ['body'] },
          { since: 'at', keepDays: 2 },
        ]),
      },
      'one of mails and one of mails',
    ],
    [
      { a: table('old_mails', { since: 'at', keepDays: 1 }), b: table('others', { name: 'oldMails', since: 'at', keepDays: 1 }) },
      'one of old_mails and one of others',
    ],
  ])('refuses two rules of one name', (doubles, message) => {
    expect(() => prunedTablesOf(doubles)).toThrow(message)
  })
})
