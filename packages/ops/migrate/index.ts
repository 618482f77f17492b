import { migrationSettings } from '../../../lib/config/settings/database.ts'
import { applyMigrations } from '../../../lib/resilient-sequelize/src/migrate/migrate.ts'
import { defineFunction } from '../../../lib/function/define.ts'

export const main = defineFunction({
  name: 'ops/migrate',
  settings: { database: migrationSettings },
  setup: settings => settings,
  // What doctl passes is text.
  invoked: async ({ allowBreaking }, { services: { database: settings }, deadline }) => ({
    ...(await applyMigrations({ settings, deadline, allowBreaking: String(allowBreaking) === 'true' })),
  }),
})
