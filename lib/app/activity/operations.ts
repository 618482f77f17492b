import { pageReply } from '../../functions-runtime/src/api/page-reply.ts'
import type { DefineOperation } from '../../functions-runtime/src/api/request.ts'
import { pageSchema } from '../../functions-runtime/src/content/page.ts'
import { NO_USER } from '../users/unknown.ts'
import { listActivities } from './list.ts'
import { activityQuerySchema, activitySchema } from './schema.ts'

/** The operations on activities. */
export const defineActivityOperations = (operation: DefineOperation) => [
  operation(
    'GET /{userId}/activity',
    {
      operationId: 'listActivity',
      summary: 'Lists what a user did, newest first',
      scope: 'users:read',
      missing: NO_USER,
      query: activityQuerySchema,
      answer: { status: 200, description: 'A page of activities.', schema: pageSchema(activitySchema), headers: ['link'] },
    },
    async ({ params, query, search, database }) => pageReply(await listActivities(params.userId, query, database), search),
  ),
]
