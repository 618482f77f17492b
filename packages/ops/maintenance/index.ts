import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { retentionSettings } from '../../../lib/config/settings/retention.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { maintain } from '../../../lib/maintenance/maintenance.ts'
import { prunedTables } from '../../../lib/maintenance/pruned-tables.ts'

export const main = defineFunction({
  name: 'ops/maintenance',
  settings: { database: databaseSettings, retention: retentionSettings },
  setup: ({ database, retention }, { logger, timeLimitMs }) => ({
    tables: prunedTables(retention),
    database: prepareDatabase(database, { name: 'ops/maintenance', logger, timeLimitMs }),
  }),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  invoked: async (_input, { services: { database, tables }, deadline, logger }) => ({
    ...(await maintain({ tables, database: database.service, deadline, logger })),
  }),
})
