import type { ApiDescription } from '../../functions-runtime/src/api/openapi.ts'
import { activitySchema } from '../activity/schema.ts'
import { scopes } from '../settings/api.ts'
import { balanceSchema, transactionSchema } from '../transactions/schema.ts'
import { userSchema } from '../users/schema.ts'
import { operations } from './operations.ts'

/** `api/user` as its contract describes it; `npm run openapi` writes that. */
export const api: ApiDescription = {
  operations,
  scopes,
  info: {
    title: 'Users',
    version: '1.0.0',
    summary: 'Users, what they did, and their transactions.',
    description: 'Amounts are decimal text. Instants are RFC 3339 in UTC. Every error is a problem document with a stable `code`.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [
    {
      url: 'https://{host}/api/v1/web/{namespace}/api/user',
      description: 'A namespace of DigitalOcean Functions.',
      variables: { host: { default: 'faas-fra1-00000000.doserverless.co' }, namespace: { default: 'fn-00000000' } },
    },
    { url: 'http://127.0.0.1:8080/user', description: '`npm start`.' },
  ],
  tags: [
    { name: 'users', description: 'Who the application knows.' },
    { name: 'activity', description: 'What they did.' },
    { name: 'transactions', description: 'What they paid, and what they have.' },
  ],
  tagOf: path => {
    if (path.endsWith('/activity')) return 'activity'
    return /\/(?:transactions|balances)/.test(path) ? 'transactions' : 'users'
  },
  parameters: { userId: 'The id of a user.', transactionId: "The id of one of that user's transactions." },
  queries: {
    email: 'Of the user with this address, in whatever letter case.',
    externalId: 'Of the user with this external id.',
    createdAfter: 'Created after this instant.',
    createdBefore: 'Created before this instant.',
    kind: 'Of this kind.',
    status: 'In this state.',
  },
  named: new Map<unknown, string>([
    [userSchema, 'User'],
    [activitySchema, 'Activity'],
    [transactionSchema, 'Transaction'],
    [balanceSchema, 'Balance'],
  ]),
}
