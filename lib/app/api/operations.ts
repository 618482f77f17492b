import * as z from 'zod/mini'
import { activityQuerySchema, activitySchema } from '../activity/schema.ts'
import { balanceSchema, newTransactionSchema, transactionPatchSchema, transactionQuerySchema, transactionSchema } from '../transactions/schema.ts'
import { newUserSchema, userPatchSchema, userQuerySchema, userSchema } from '../users/schema.ts'
import type { Operations } from '../../functions-runtime/src/api/operation.ts'

const pageOf = <Schema extends z.ZodMiniType>(schema: Schema) => z.strictObject({ items: z.array(schema), next: z.nullable(z.string()) })

const NO_USER = 'No such user, or an erased one.'
const NO_TRANSACTION = 'No such user or transaction.'

/** Every operation of `api/user`. */
export const operations = {
  'POST /': {
    operationId: 'createUser',
    summary: 'Creates a user',
    scope: 'users:write',
    body: newUserSchema,
    idempotencyKey: 'optional',
    missing: 'The user that this key created was erased since.',
    conflicts: 'The email address or the external id is taken, or another request with this key is still being worked on.',
    answer: { status: 201, description: 'The user.', schema: userSchema, headers: ['location', 'etag'] },
  },
  'GET /': {
    operationId: 'listUsers',
    summary: 'Lists users, newest first',
    scope: 'users:read',
    query: userQuerySchema,
    answer: { status: 200, description: 'A page of users.', schema: pageOf(userSchema), headers: ['link'] },
  },
  'GET /{userId}': {
    operationId: 'readUser',
    summary: 'Reads a user',
    scope: 'users:read',
    missing: NO_USER,
    answer: { status: 200, description: 'The user.', schema: userSchema, headers: ['etag'] },
  },
  'PATCH /{userId}': {
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
  'DELETE /{userId}': {
    operationId: 'eraseUser',
    summary: 'Erases a user',
    scope: 'users:write',
    missing: NO_USER,
    answer: { status: 204, description: 'Nothing that tells of the person is left.' },
  },
  'GET /{userId}/activity': {
    operationId: 'listActivity',
    summary: 'Lists what a user did, newest first',
    scope: 'users:read',
    missing: NO_USER,
    query: activityQuerySchema,
    answer: { status: 200, description: 'A page of activities.', schema: pageOf(activitySchema), headers: ['link'] },
  },
  'GET /{userId}/balances': {
    operationId: 'readBalances',
    summary: 'Reads what a user has, in each currency',
    scope: 'users:read',
    missing: NO_USER,
    answer: { status: 200, description: 'The sums of the completed transactions.', schema: z.strictObject({ items: z.array(balanceSchema) }) },
  },
  'POST /{userId}/transactions': {
    operationId: 'createTransaction',
    summary: 'Creates a transaction of a user',
    scope: 'transactions:write',
    missing: NO_USER,
    body: newTransactionSchema,
    idempotencyKey: 'required',
    conflicts: 'The external id is taken, or another request with this key is still being worked on.',
    answer: { status: 201, description: 'The transaction.', schema: transactionSchema, headers: ['location'] },
  },
  'GET /{userId}/transactions': {
    operationId: 'listTransactions',
    summary: 'Lists the transactions of a user, newest first',
    scope: 'users:read',
    missing: NO_USER,
    query: transactionQuerySchema,
    answer: { status: 200, description: 'A page of transactions.', schema: pageOf(transactionSchema), headers: ['link'] },
  },
  'GET /{userId}/transactions/{transactionId}': {
    operationId: 'readTransaction',
    summary: 'Reads a transaction of a user',
    scope: 'users:read',
    missing: NO_TRANSACTION,
    answer: { status: 200, description: 'The transaction.', schema: transactionSchema },
  },
  'PATCH /{userId}/transactions/{transactionId}': {
    operationId: 'stepTransaction',
    summary: 'Takes a transaction to another state',
    scope: 'transactions:write',
    missing: NO_TRANSACTION,
    body: transactionPatchSchema,
    patch: true,
    conflicts: 'The state that the transaction is in does not allow this one.',
    answer: { status: 200, description: 'The transaction as it is now.', schema: transactionSchema },
  },
} as const satisfies Operations
