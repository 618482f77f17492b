import { integer } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, setting, type SettingsGroup } from '../../../functions-runtime/src/settings/settings.ts'
import type { DeclaredTable, PrunedTable } from '../maintenance/pruned-table.ts'

export const DAY_MS = 24 * 60 * 60 * 1000

export interface RetentionSettings {
  /** Days for which the payloads of processed webhook events are kept. */
  readonly webhookDays: number
  /** Days for which their ids are known after that: as long as a sender may send one again. */
  readonly redeliveryDays: number
  /** Days for which the payload of an event is kept that is about no known user. */
  readonly unattributedDays: number
  /** Days for which scheduled checks, and what was counted in each minute, are kept. */
  readonly healthDays: number
}

// Never 0: a slip of the hand must not empty a table at the next run.
const retentionDays = (fallback: number) => integer({ min: 1, max: 3650, fallback })

/** How long rows are kept. */
export const retentionSettings = defineSettings(
  {
    WEBHOOK_RETENTION_DAYS: retentionDays(30),
    WEBHOOK_REDELIVERY_DAYS: retentionDays(30),
    WEBHOOK_UNATTRIBUTED_DAYS: retentionDays(7),
    HEALTH_RETENTION_DAYS: retentionDays(14),
  },
  (values): RetentionSettings =>
    Object.freeze({
      webhookDays: values.WEBHOOK_RETENTION_DAYS,
      redeliveryDays: values.WEBHOOK_REDELIVERY_DAYS,
      unattributedDays: values.WEBHOOK_UNATTRIBUTED_DAYS,
      healthDays: values.HEALTH_RETENTION_DAYS,
    }),
)

/** How long rows of an application's tables are kept: reads the variables that its tables name, and returns the tables. */
export function defineRetention(tables: readonly DeclaredTable[]): SettingsGroup<readonly PrunedTable[]> {
  const shape = Object.fromEntries(
    tables.flatMap(({ table, keepDays }) => {
      if (typeof keepDays === 'number') return []
      const days = setting(retentionDays(keepDays.fallback), `days for which rows of the table \`${table}\` are kept, 1 to 3650`)
      return [[keepDays.setting, days]]
    }),
  )
  return defineSettings(shape, values =>
    tables.map(({ keepDays, ...table }) => {
      const days = typeof keepDays === 'number' ? keepDays : (values[keepDays.setting] ?? keepDays.fallback)
      return { ...table, keepMs: days * DAY_MS }
    }),
  )
}
