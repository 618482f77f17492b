import * as z from 'zod/mini'
import type { ActivityRecorder } from '../activity/record.ts'
import { pageReply } from '../../functions-runtime/src/api/page-reply.ts'
import type { DefineOperation } from '../../functions-runtime/src/api/request.ts'
import { pageSchema } from '../../functions-runtime/src/content/page.ts'
import { json } from '../../functions-runtime/src/edge/reply.ts'
import { NO_USER } from '../users/unknown.ts'
import { createTransaction } from './create.ts'
import { getTransaction, listTransactions, readBalances } from './read.ts'
import { balanceSchema, newTransactionSchema, transactionPatchSchema, transactionQuerySchema, transactionSchema } from './schema.ts'
import { stepTransaction } from './step.ts'

const NO_TRANSACTION = 'No such user or transaction.'

/** The operations on transactions and balances. */
export const defineTransactionOperations = (operation: DefineOperation<{ activity: ActivityRecorder }>) => [
  operation(
    'GET /{userId}/balances',
    {
      operationId: 'readBalances',
      summary: 'Reads what a user has, in each currency',
      scope: 'users:read',
      tag: 'transactions',
      missing: NO_USER,
      answer: { status: 200, description: 'The sums of the completed transactions.', schema: z.strictObject({ items: z.array(balanceSchema) }) },
    },
    async ({ params, database }) => json(200, { items: await readBalances(params.userId, database) }),
  ),
  operation(
    'POST /{userId}/transactions',
    {
      operationId: 'createTransaction',
      summary: 'Creates a transaction of a user',
      scope: 'transactions:write',
      missing: NO_USER,
      body: newTransactionSchema,
      idempotencyKey: 'required',
      conflicts: 'The external id is taken, or another request with this key is still being worked on.',
      answer: { status: 201, description: 'The transaction.', schema: transactionSchema, headers: ['location'] },
    },
    async ({ params, body, locate, claim, activity, database }) => {
      const transaction = await createTransaction(params.userId, body, { claim, activity, database })
      return json(201, { ...transaction }, { location: locate(`${params.userId}/transactions/${transaction.id}`) })
    },
  ),
  operation(
    'GET /{userId}/transactions',
    {
      operationId: 'listTransactions',
      summary: 'Lists the transactions of a user, newest first',
      scope: 'users:read',
      missing: NO_USER,
      query: transactionQuerySchema,
      answer: { status: 200, description: 'A page of transactions.', schema: pageSchema(transactionSchema), headers: ['link'] },
    },
    async ({ params, query, search, database }) => pageReply(await listTransactions(params.userId, query, database), search),
  ),
  operation(
    'GET /{userId}/transactions/{transactionId}',
    {
      operationId: 'readTransaction',
      summary: 'Reads a transaction of a user',
      scope: 'users:read',
      missing: NO_TRANSACTION,
      answer: { status: 200, description: 'The transaction.', schema: transactionSchema },
    },
    async ({ params: { userId, transactionId: id }, database }) => json(200, { ...(await getTransaction({ userId, id }, database)) }),
  ),
  operation(
    'PATCH /{userId}/transactions/{transactionId}',
    {
      operationId: 'stepTransaction',
      summary: 'Takes a transaction to another state',
      scope: 'transactions:write',
      missing: NO_TRANSACTION,
      body: transactionPatchSchema,
      patch: true,
      conflicts: 'The state that the transaction is in does not allow this one.',
      answer: { status: 200, description: 'The transaction as it is now.', schema: transactionSchema },
    },
    async ({ params: { userId, transactionId: id }, body, activity, database }) =>
      json(200, { ...(await stepTransaction({ userId, id }, body, { activity, database })) }),
  ),
]
