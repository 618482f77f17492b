import { migrations } from '../../../lib/app/migrations/index.ts'
import { migrationSettings } from '../../../lib/config/settings/database.ts'
import { applyMigrations } from '../../../lib/database/migrate.ts'
import { defineFunction } from '../../../lib/function/define.ts'

export const main = defineFunction({
  name: 'ops/migrate',
  settings: { database: migrationSettings },
  setup: settings => settings,
  // What doctl passes is text.
  invoked: async ({ allowBreaking }, { services: { database: settings }, deadline }) => ({
    ...(await applyMigrations({ settings, deadline, migrations, allowBreaking: String(allowBreaking) === 'true' })),
  }),
})
