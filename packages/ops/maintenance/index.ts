import { prepareAlerts } from '../../../lib/functions-ops/src/alerts/prepare.ts'
import { alertSettings } from '../../../lib/functions-ops/src/settings/alerts.ts'
import { bufferSettings } from '../../../lib/webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../../lib/functions-runtime/src/database/settings.ts'
import { payloadSettings } from '../../../lib/webhook-inbox/src/settings/payload.ts'
import { DAY_MS, defineRetention, retentionSettings } from '../../../lib/functions-ops/src/settings/retention.ts'
import { prepareDatabase } from '../../../lib/app/database.ts'
import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'
import { maintain } from '../../../lib/functions-ops/src/maintenance/maintenance.ts'
import { describedSources } from '../../../lib/app/webhooks/sources.ts'
import { erasers } from '../../../lib/app/maintenance/erasers.ts'
import { prunedTables } from '../../../lib/app/tables.ts'
import { packageTables } from '../../../lib/functions-ops/src/maintenance/package-tables.ts'
import { manageWebhooks } from '../../../lib/webhook-inbox/src/inbox/manage.ts'

export const main = defineFunction({
  name: 'ops/maintenance',
  schedules: [{ name: 'maintenance-every-minute', cron: '* * * * *' }],
  fewConnections: 2,
  settings: {
    database: databaseSettings,
    retention: retentionSettings,
    ownTables: defineRetention(prunedTables),
    keys: payloadSettings,
    buffer: bufferSettings,
    alerts: alertSettings,
  },
  setup: ({ database: settings, retention, ownTables, alerts, ...webhooks }, { logger, timeLimitMs }) => {
    const database = prepareDatabase(settings, { name: 'ops/maintenance', logger, timeLimitMs })
    const { counters } = database.service
    const { alerts: heard } = prepareAlerts({ settings: alerts, redis: webhooks.buffer, logger, counters })
    return {
      ...webhooks,
      sources: describedSources,
      erasers,
      alerts: heard,
      tables: [...packageTables(retention), ...ownTables],
      unattributedMs: retention.unattributedDays * DAY_MS,
      database,
    }
  },
  pool: ({ database }) => database.manager.getConnectionStatus(),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  // A schedule's body says maintenance; a person may ask for the events of the inbox instead.
  invoked: async ({ task, ...input }, { services: { database, ...services }, deadline, logger }) => {
    const options = { ...services, database: database.service, counters: database.service.counters, deadline, logger }
    return task === 'webhooks' ? manageWebhooks(input, options) : { ...(await maintain(options)) }
  },
})
