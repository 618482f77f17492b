import { expect, it } from 'vitest'
import { migrations as inboxMigrations } from '../../../webhook-inbox/src/migrations/index.ts'
import { withDatabase } from '../../../functions-devkit/test/support/database.ts'
import { migrate } from '../../../functions-devkit/test/support/templates.ts'

it('an inbox takes no user for erased until the application says so', async () => {
  await withDatabase(
    async database => {
      await migrate(database.url, inboxMigrations)
      expect(await database.query('SELECT id, name FROM webhook_erased')).toEqual([])
    },
    { empty: true },
  )
})
