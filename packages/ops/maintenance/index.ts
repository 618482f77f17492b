import { bufferSettings } from '../../../lib/config/settings/buffer.ts'
import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { payloadSettings } from '../../../lib/config/settings/payload.ts'
import { retentionSettings } from '../../../lib/config/settings/retention.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { maintain } from '../../../lib/maintenance/maintenance.ts'
import { prunedTables } from '../../../lib/maintenance/pruned-tables.ts'
import { manageWebhooks } from '../../../lib/webhooks/manage.ts'

export const main = defineFunction({
  name: 'ops/maintenance',
  settings: { database: databaseSettings, retention: retentionSettings, keys: payloadSettings, buffer: bufferSettings },
  setup: ({ database, retention, ...webhooks }, { logger, timeLimitMs }) => ({
    ...webhooks,
    tables: prunedTables(retention),
    database: prepareDatabase(database, { name: 'ops/maintenance', logger, timeLimitMs }),
  }),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  // A schedule's body says maintenance; a person may ask for the events of the inbox instead.
  invoked: async ({ task, ...input }, { services: { database, ...services }, deadline, logger }) => {
    const options = { ...services, database: database.service, counters: database.service.counters, deadline, logger }
    return task === 'webhooks' ? manageWebhooks(input, options) : { ...(await maintain(options)) }
  },
})
