import * as z from 'zod/mini'
import { defineApi } from '../../../lib/app/api.ts'
import { createUser, deleteUser, listUsers, readUser, userSchema } from '../../../lib/app/users.ts'
import { json } from '../../../../../../functions-runtime/src/edge/reply.ts'

const NO_USER = 'No such user.'

export const main = defineApi({
  name: 'api/user',
  title: 'Users',
  description: 'The API of the tests.',
  schemas: { User: userSchema },
  operations: operation => [
    operation(
      'POST /',
      {
        operationId: 'createUser',
        summary: 'Creates a user, or returns the one with this email address',
        scope: 'users:write',
        body: z.strictObject({ email: z.string().check(z.maxLength(254)), name: z.string().check(z.maxLength(200)) }),
        answer: { status: 201, description: 'The user.', schema: userSchema },
      },
      async ({ body, database }) => json(201, { ...(await createUser(body, database)) }),
    ),
    operation(
      'GET /',
      {
        operationId: 'listUsers',
        summary: 'Lists users',
        scope: 'users:read',
        answer: { status: 200, description: 'All users.', schema: z.strictObject({ items: z.array(userSchema) }) },
      },
      async ({ database }) => json(200, { items: await listUsers(database) }),
    ),
    operation(
      'GET /{userId}',
      {
        operationId: 'readUser',
        summary: 'Reads a user',
        scope: 'users:read',
        missing: NO_USER,
        answer: { status: 200, description: 'The user.', schema: userSchema },
      },
      async ({ params, database }) => json(200, { ...(await readUser(params.userId, database)) }),
    ),
    operation(
      'DELETE /{userId}',
      {
        operationId: 'deleteUser',
        summary: 'Deletes a user',
        scope: 'users:write',
        missing: NO_USER,
        answer: { status: 204, description: 'The user is gone.' },
      },
      async ({ params, database }) => {
        await deleteUser(params.userId, database)
        return { statusCode: 204 }
      },
    ),
  ],
})
