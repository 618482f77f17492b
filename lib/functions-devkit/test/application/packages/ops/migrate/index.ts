import { migrations } from '../../../lib/app/migrations/index.ts'
import { migrationSettings } from '../../../../../../functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../../../../../functions-runtime/src/database/migrate.ts'
import { defineFunction } from '../../../../../../functions-runtime/src/edge/define.ts'

export const main = defineFunction({
  name: 'ops/migrate',
  settings: { database: migrationSettings },
  setup: settings => settings,
  // What doctl passes is text.
  invoked: async ({ allowBreaking }, { services: { database: settings }, deadline }) => ({
    ...(await applyMigrations({ settings, deadline, migrations, allowBreaking: String(allowBreaking) === 'true' })),
  }),
})
