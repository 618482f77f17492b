import { apiKey, call } from '../../lib/functions-devkit/test/support/functions.ts'
import { completedTransaction } from '../../lib/functions-devkit/test/support/webhooks.ts'
import { main as user } from '../../packages/api/user/index.ts'
import { testDrill } from '../support/disaster.ts'

testDrill('a lost database comes back from its dump with every balance', {
  events: Array.from({ length: 12 }, (_, index) =>
    completedTransaction({ userId: `usr_${index % 3}`, amount: `${index + 1}.25`, currency: index % 2 ? 'EUR' : 'USD' }),
  ),
  late: completedTransaction({ userId: 'usr_0', amount: '100.00', currency: 'EUR' }),
  mains: [user],
  async prepare() {
    for (const name of ['usr_0', 'usr_1', 'usr_2']) {
      const created = await call(user, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ email: `${name}@example.com`, name, externalId: name }),
      })
      if (created.statusCode !== 201) throw new Error(`${name} was not created: ${created.statusCode}`)
    }
  },
  tables: { balances: 6 },
})
