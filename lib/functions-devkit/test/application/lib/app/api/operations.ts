import * as z from 'zod/mini'
import type { Operations } from '../../../../../../functions-runtime/src/api/operation.ts'

const NO_USER = 'No such user.'

export const userSchema = z.strictObject({ id: z.uuid(), email: z.string(), name: z.string() })
export type User = z.output<typeof userSchema>

export const operations = {
  'POST /': {
    operationId: 'createUser',
    summary: 'Creates a user, or returns the one with this email address',
    scope: 'users:write',
    body: z.strictObject({ email: z.string().check(z.maxLength(254)), name: z.string().check(z.maxLength(200)) }),
    answer: { status: 201, description: 'The user.', schema: userSchema },
  },
  'GET /': {
    operationId: 'listUsers',
    summary: 'Lists users',
    scope: 'users:read',
    answer: { status: 200, description: 'All users.', schema: z.strictObject({ items: z.array(userSchema) }) },
  },
  'GET /{userId}': {
    operationId: 'readUser',
    summary: 'Reads a user',
    scope: 'users:read',
    missing: NO_USER,
    answer: { status: 200, description: 'The user.', schema: userSchema },
  },
  'DELETE /{userId}': {
    operationId: 'deleteUser',
    summary: 'Deletes a user',
    scope: 'users:write',
    missing: NO_USER,
    answer: { status: 204, description: 'The user is gone.' },
  },
} as const satisfies Operations
