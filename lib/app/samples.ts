import type { Samples } from '../functions-runtime/src/api/samples.ts'

/** What `npm start` prints and `npm run send` sends. */
export const samples: Samples = {
  eventType: 'transaction.completed',
  eventData(type, freshId) {
    if (type.startsWith('transaction.')) return { transactionId: `txn_${freshId()}`, userId: `usr_${freshId()}`, amount: '12.50', currency: 'EUR' }
    if (type.startsWith('user.')) return { userId: `usr_${freshId()}`, email: `ada+${freshId()}@example.com`, name: 'Ada' }
    return {}
  },
  requests: [{ title: 'A new user', method: 'POST', path: '/user', body: freshId => ({ email: `ada+${freshId()}@example.com`, name: 'Ada' }) }],
}
