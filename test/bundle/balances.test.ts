import { expect, it } from 'vitest'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { apiKey, keySetting } from '../../lib/functions-devkit/test/support/functions.ts'
import { withHost } from '../../lib/functions-devkit/test/support/host/host-process.ts'
import { mixedRequest, sendTo } from '../../lib/functions-devkit/test/support/host/load.ts'
import { wrongBalances } from '../support/balances.ts'

it('npm run serve keeps every balance right under 200 calls at once', async () => {
  await withDatabase(async database => {
    await withHost(
      database,
      async host => {
        const id = await createUser(host.address)
        const fates = await Promise.all(Array.from({ length: 200 }, (_, index) => sendTo(host.port, mixedRequest(index))))
        expect(fates.filter(met => met.fate !== 'answered' || met.status !== 200)).toEqual([])
        expect(await database.query('SELECT count(*)::int AS count FROM transactions WHERE user_id = $1', [id])).toEqual([{ count: 67 }])
        expect(await database.query('SELECT amount::numeric AS amount FROM balances')).toEqual([{ amount: '837.5000' }])
        expect(await wrongBalances(database)).toEqual([])
      },
      { variables: { DB_POOL_MAX: '12', API_KEYS: keySetting(apiKey) } },
    )
  })
})

/** Creates the user whom the events of the load are about, and returns its id. */
async function createUser(address: string): Promise<string> {
  const response = await fetch(`${address}/user`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'a@example.com', name: 'A', externalId: 'usr_1' }),
  })
  if (response.status !== 201) throw new Error(`the user was not created: ${response.status}`)
  return ((await response.json()) as { id: string }).id
}
