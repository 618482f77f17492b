import { createActivityRecorders, type ActivityRecorder } from '../../../lib/app/activity/record.ts'
import { listActivities } from '../../../lib/app/activity/list.ts'
import { operations } from '../../../lib/app/api/operations.ts'
import { pageReply } from '../../../lib/functions-runtime/src/api/page-reply.ts'
import type { Origin } from '../../../lib/functions-runtime/src/api/origin.ts'
import { serveOperations } from '../../../lib/functions-runtime/src/api/serve.ts'
import { apiSettings } from '../../../lib/app/settings/api.ts'
import { databaseSettings } from '../../../lib/functions-runtime/src/database/settings.ts'
import { prepareDatabase } from '../../../lib/app/database.ts'
import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'
import { json } from '../../../lib/functions-runtime/src/edge/reply.ts'
import { createTransaction } from '../../../lib/app/transactions/create.ts'
import { getTransaction, listTransactions, readBalances } from '../../../lib/app/transactions/read.ts'
import { stepTransaction } from '../../../lib/app/transactions/step.ts'
import { createUser } from '../../../lib/app/users/create.ts'
import { eraseUser } from '../../../lib/app/users/erase.ts'
import { getUser } from '../../../lib/app/users/get.ts'
import { listUsers } from '../../../lib/app/users/list.ts'
import { patchUser } from '../../../lib/app/users/patch.ts'
import { tagOf } from '../../../lib/app/users/view.ts'

// What each operation takes and gives, and who may call it, stands in lib/app/api/operations.ts.
export const main = defineFunction({
  name: 'api/user',
  openBecause: 'each call needs an API key',
  settings: { database: databaseSettings, api: apiSettings },
  setup: ({ database: settings, api }, { logger, timeLimitMs }) => {
    const database = prepareDatabase(settings, { name: 'api/user', logger, timeLimitMs })
    const activities = createActivityRecorders(database.service)
    const openTools = (origin: Origin) => {
      const activity = activities(origin)
      return { tools: { activity }, end: () => activity.flushActivity() }
    }
    return { api, database, openTools }
  },
  pool: ({ database }) => database.manager.getConnectionStatus(),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    // Long, and seldom asked for.
    'GET /openapi.json': async () => json(200, (await import('../../../lib/app/api/openapi.json', { with: { type: 'json' } })).default),
    ...serveOperations<typeof operations, { activity: ActivityRecorder }>(operations, {
      'POST /': async ({ body, locate, ...tools }) => {
        const user = await createUser(body, tools)
        return json(201, { ...user }, { location: locate(user.id), etag: tagOf(user) })
      },
      'GET /': async ({ query, search, database }) => pageReply(await listUsers(query, database), search),
      'GET /{userId}': async ({ params, database }) => {
        const user = await getUser(params.userId, database)
        return json(200, { ...user }, { etag: tagOf(user) })
      },
      'PATCH /{userId}': async ({ params, body, ...tools }) => {
        const user = await patchUser(params.userId, body, tools)
        return json(200, { ...user }, { etag: tagOf(user) })
      },
      'DELETE /{userId}': async ({ params, ...tools }) => {
        await eraseUser(params.userId, tools)
        return { statusCode: 204 }
      },
      'GET /{userId}/activity': async ({ params, query, search, database }) =>
        pageReply(await listActivities(params.userId, query, database), search),
      'GET /{userId}/balances': async ({ params, database }) => json(200, { items: await readBalances(params.userId, database) }),
      'POST /{userId}/transactions': async ({ params, body, locate, ...tools }) => {
        const transaction = await createTransaction(params.userId, body, tools)
        return json(201, { ...transaction }, { location: locate(`${params.userId}/transactions/${transaction.id}`) })
      },
      'GET /{userId}/transactions': async ({ params, query, search, database }) =>
        pageReply(await listTransactions(params.userId, query, database), search),
      'GET /{userId}/transactions/{transactionId}': async ({ params: { userId, transactionId: id }, database }) =>
        json(200, { ...(await getTransaction({ userId, id }, database)) }),
      'PATCH /{userId}/transactions/{transactionId}': async ({ params: { userId, transactionId: id }, body, ...tools }) =>
        json(200, { ...(await stepTransaction({ userId, id }, body, tools)) }),
    }),
  },
})
