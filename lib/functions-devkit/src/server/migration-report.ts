import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { openConnection } from '../cli/connection.ts'
import { readMigrationStates } from '../cli/migrate/state.ts'

// Prints as JSON how the migrations of the application, as its files are now, stand to the database of the environment. `npm start`
// runs it in a process of its own, because a module stays as it was first loaded.

const WITHIN_MS = 10_000

const { database: settings } = readSettings({ database: migrationSettings })
const client = await openConnection(settings, { name: 'local/migrations', withinMs: WITHIN_MS })
try {
  const { migrations } = await readMigrationStates(client, settings.schema)
  console.log(JSON.stringify(migrations.filter(({ state }) => state !== 'applied')))
} finally {
  await client.end()
}
