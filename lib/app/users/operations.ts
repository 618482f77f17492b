import type { ActivityRecorder } from '../activity/record.ts'
import { pageSchema } from '../../functions-runtime/src/content/page.ts'
import { pageReply } from '../../functions-runtime/src/api/page-reply.ts'
import type { DefineOperation } from '../../functions-runtime/src/api/request.ts'
import { json } from '../../functions-runtime/src/edge/reply.ts'
import { createUser } from './create.ts'
import { eraseUser } from './erase.ts'
import { getUser } from './get.ts'
import { listUsers } from './list.ts'
import { patchUser } from './patch.ts'
import { newUserSchema, userPatchSchema, userQuerySchema, userSchema } from './schema.ts'
import { NO_USER } from './unknown.ts'
import { tagOf } from './view.ts'

/** The operations on users. */
export const defineUserOperations = (operation: DefineOperation<{ activity: ActivityRecorder }>) => [
  operation(
    'POST /',
    {
      operationId: 'createUser',
      summary: 'Creates a user',
      scope: 'users:write',
      body: newUserSchema,
      idempotencyKey: 'optional',
      missing: 'The user that this key created was erased since.',
      conflicts: 'The email address or the external id is taken, or another request with this key is still being worked on.',
      answer: { status: 201, description: 'The user.', schema: userSchema, headers: ['location', 'etag'] },
    },
    async ({ body, locate, claim, activity, database }) => {
      const user = await createUser(body, { claim, activity, database })
      return json(201, { ...user }, { location: locate(user.id), etag: tagOf(user) })
    },
  ),
  operation(
    'GET /',
    {
      operationId: 'listUsers',
      summary: 'Lists users, newest first',
      scope: 'users:read',
      query: userQuerySchema,
      answer: { status: 200, description: 'A page of users.', schema: pageSchema(userSchema), headers: ['link'] },
    },
    async ({ query, search, database }) => pageReply(await listUsers(query, database), search),
  ),
  operation(
    'GET /{userId}',
    {
      operationId: 'readUser',
      summary: 'Reads a user',
      scope: 'users:read',
      missing: NO_USER,
      answer: { status: 200, description: 'The user.', schema: userSchema, headers: ['etag'] },
    },
    async ({ params, database }) => {
      const user = await getUser(params.userId, database)
      return json(200, { ...user }, { etag: tagOf(user) })
    },
  ),
  operation(
    'PATCH /{userId}',
    {
      operationId: 'changeUser',
      summary: 'Changes name or email address of a user',
      scope: 'users:write',
      missing: NO_USER,
      body: userPatchSchema,
      patch: true,
      ifMatch: true,
      conflicts: 'The email address is taken.',
      answer: { status: 200, description: 'The user as it is now.', schema: userSchema, headers: ['etag'] },
    },
    async ({ params, body, matches, activity, database }) => {
      const user = await patchUser(params.userId, body, { matches, activity, database })
      return json(200, { ...user }, { etag: tagOf(user) })
    },
  ),
  operation(
    'DELETE /{userId}',
    {
      operationId: 'eraseUser',
      summary: 'Erases a user',
      scope: 'users:write',
      missing: NO_USER,
      answer: { status: 204, description: 'The user is erased; no personal data remains.' },
    },
    async ({ params, activity, database }) => {
      await eraseUser(params.userId, { activity, database })
      return { statusCode: 204 }
    },
  ),
]
