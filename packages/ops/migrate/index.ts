import { migrationSettings } from '../../../lib/config/settings/database.ts'
import { applyMigrations } from '../../../lib/database/migrate.ts'
import { defineFunction } from '../../../lib/function/define.ts'

export const main = defineFunction({
  name: 'ops/migrate',
  settings: { database: migrationSettings },
  setup: settings => settings,
  invoked: async (_input, { services: { database }, deadline }) => ({ ...(await applyMigrations({ settings: database, deadline })) }),
})
