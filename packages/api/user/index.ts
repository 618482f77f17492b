import { defineActivityOperations } from '../../../lib/app/activity/operations.ts'
import { createActivityRecorders } from '../../../lib/app/activity/record.ts'
import { activitySchema } from '../../../lib/app/activity/schema.ts'
import { defineApi } from '../../../lib/app/api.ts'
import { defineTransactionOperations } from '../../../lib/app/transactions/operations.ts'
import { balanceSchema, transactionSchema } from '../../../lib/app/transactions/schema.ts'
import { defineUserOperations } from '../../../lib/app/users/operations.ts'
import { userSchema } from '../../../lib/app/users/schema.ts'

export const main = defineApi({
  name: 'api/user',
  title: 'Users',
  summary: 'Users, what they did, and their transactions.',
  description: 'Amounts are decimal text. Instants are RFC 3339 in UTC. Every error is a problem document with a stable `code`.',
  tags: {
    user: 'Who the application knows.',
    activity: 'What they did.',
    transactions: 'What they paid, and what they have.',
  },
  parameters: {
    userId: 'The id of a user.',
    transactionId: "The id of one of that user's transactions.",
    email: 'Of the user with this address, in whatever letter case.',
    externalId: 'Of the user with this external id.',
    createdAfter: 'Created after this instant.',
    createdBefore: 'Created before this instant.',
    kind: 'Of this kind.',
    status: 'In this state.',
    'Idempotency-Key': 'Makes the request repeatable for 24 hours: the same key and content, the same answer.',
  },
  schemas: { User: userSchema, Activity: activitySchema, Transaction: transactionSchema, Balance: balanceSchema },
  setup: (_settings, { database }) => ({ activities: createActivityRecorders(database) }),
  forRequest({ activities }, { origin }) {
    const activity = activities(origin)
    return { tools: { activity }, end: () => activity.flushActivity() }
  },
  operations: operation => [defineUserOperations(operation), defineActivityOperations(operation), defineTransactionOperations(operation)],
})
