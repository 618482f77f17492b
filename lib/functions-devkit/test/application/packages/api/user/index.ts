import { operations } from '../../../lib/app/api/operations.ts'
import { prepareDatabase } from '../../../lib/app/database.ts'
import { apiSettings } from '../../../lib/app/settings/api.ts'
import { createUser, deleteUser, listUsers, readUser } from '../../../lib/app/users.ts'
import { serveOperations } from '../../../../../../functions-runtime/src/api/serve.ts'
import { databaseSettings } from '../../../../../../functions-runtime/src/database/settings.ts'
import { defineFunction } from '../../../../../../functions-runtime/src/edge/define.ts'
import { json } from '../../../../../../functions-runtime/src/edge/reply.ts'

export const main = defineFunction({
  name: 'api/user',
  openBecause: 'each call needs an API key',
  settings: { database: databaseSettings, api: apiSettings },
  setup: ({ database: settings, api }, { logger, timeLimitMs }) => ({
    api,
    database: prepareDatabase(settings, { name: 'api/user', logger, timeLimitMs }),
    openTools: () => ({ tools: {}, end: () => undefined }),
  }),
  pool: ({ database }) => database.manager.getConnectionStatus(),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    'GET /openapi.json': async () => json(200, (await import('../../../lib/app/api/openapi.json', { with: { type: 'json' } })).default),
    ...serveOperations<typeof operations, object>(operations, {
      'POST /': async ({ body, database }) => json(201, { ...(await createUser(body, database)) }),
      'GET /': async ({ database }) => json(200, { items: await listUsers(database) }),
      'GET /{userId}': async ({ params, database }) => json(200, { ...(await readUser(params.userId, database)) }),
      'DELETE /{userId}': async ({ params, database }) => {
        await deleteUser(params.userId, database)
        return { statusCode: 204 }
      },
    }),
  },
})
