import { createActivityRecorders } from '../../../lib/activity/record.ts'
import { listActivities } from '../../../lib/activity/list.ts'
import { operations } from '../../../lib/api/operations.ts'
import { pageReply } from '../../../lib/api/page-reply.ts'
import { serveOperations } from '../../../lib/api/serve.ts'
import { apiSettings } from '../../../lib/config/settings/api.ts'
import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { json } from '../../../lib/function/reply.ts'
import { createTransaction } from '../../../lib/transactions/create.ts'
import { getTransaction, listTransactions, readBalances } from '../../../lib/transactions/read.ts'
import { stepTransaction } from '../../../lib/transactions/step.ts'
import { createUser } from '../../../lib/users/create.ts'
import { eraseUser } from '../../../lib/users/erase.ts'
import { getUser } from '../../../lib/users/get.ts'
import { listUsers } from '../../../lib/users/list.ts'
import { patchUser } from '../../../lib/users/patch.ts'
import { tagOf } from '../../../lib/users/view.ts'

// What each operation takes and gives, and who may call it, stands in lib/api/operations.ts.
export const main = defineFunction({
  name: 'api/user',
  settings: { database: databaseSettings, api: apiSettings },
  setup: ({ database: settings, api }, { logger, timeLimitMs }) => {
    const database = prepareDatabase(settings, { name: 'api/user', logger, timeLimitMs })
    return { api, database, activities: createActivityRecorders(database.service) }
  },
  pool: ({ database }) => database.manager.getConnectionStatus(),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    // Long, and seldom asked for.
    'GET /openapi.json': async () => json(200, (await import('../../../lib/api/openapi.json', { with: { type: 'json' } })).default),
    ...serveOperations(operations, {
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
