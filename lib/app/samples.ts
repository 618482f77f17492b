import type { FreshId, Samples } from '../functions-runtime/src/api/samples.ts'

// The event, the new user and the balance that are printed together are about one user, as the sender calls that user.
const externalId = (freshId: FreshId) => `usr_${freshId('user')}`

/** What `npm start` prints and `npm run send` sends. */
export const samples: Samples = {
  eventType: 'transaction.completed',
  eventData(type, freshId) {
    const userId = externalId(freshId)
    if (type.startsWith('transaction.')) return { transactionId: `txn_${freshId()}`, userId, amount: '12.50', currency: 'EUR' }
    if (type.startsWith('user.')) return { userId, email: `ada+${freshId()}@example.com`, name: 'Ada' }
    return {}
  },
  requests: [
    {
      title: 'The user whom it concerns',
      method: 'POST',
      path: '/user',
      body: freshId => ({ email: `ada+${freshId()}@example.com`, name: 'Ada', externalId: externalId(freshId) }),
    },
    {
      title: 'What that user has now, after these two in any order: the 12.50 EUR of the webhook',
      method: 'GET',
      path: '/user/{id}/balances',
      lookUp: freshId => `/user?externalId=${externalId(freshId)}`,
    },
  ],
}
