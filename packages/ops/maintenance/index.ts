import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { retentionSettings } from '../../../lib/config/settings/retention.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { pruneEvents } from '../../../lib/webhooks/prune.ts'

export const main = defineFunction({
  name: 'ops/maintenance',
  settings: { database: databaseSettings, retention: retentionSettings },
  setup: ({ database, retention }, { logger, timeLimitMs }) => ({
    retention,
    database: prepareDatabase(database, { name: 'ops/maintenance', logger, timeLimitMs }),
  }),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  invoked: async (_input, { services: { database, retention } }) => ({
    webhookEvents: await pruneEvents({ database: database.service, retentionDays: retention.webhookDays }),
  }),
})
