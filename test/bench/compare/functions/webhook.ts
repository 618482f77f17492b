import { main } from '../../../../lib/functions-devkit/test/application/packages/api/webhook/index.ts'

// Ours as it is deployed, refusing a signature: from the event to the 401.

export async function call(): Promise<void> {
  const signature = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)), 'webhook-signature': 'v1,AAAA' }
  const http = { method: 'POST', path: '/demo', headers: { 'content-type': 'application/json', ...signature }, body: 'e30=', isBase64Encoded: true }
  const { statusCode } = await main({ http: { ...http, queryString: '' } }, { deadline: Date.now() + 10_000 })
  if (statusCode !== 401) throw new Error(`answered ${String(statusCode)}`)
}
