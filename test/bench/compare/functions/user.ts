import { randomUUID } from 'node:crypto'
import { main } from '../../../../lib/functions-devkit/test/application/packages/api/user/index.ts'

// Ours as it is deployed, from the event to the answer.

const SEED = '0198c0de-0000-7000-8000-000000000001'
const headers = { authorization: `Bearer ${process.env.API_KEY ?? ''}`, 'content-type': 'application/json' }

export { evaluate } from './service.ts'

export async function call(kind: 'read' | 'write'): Promise<void> {
  const body = { email: `${randomUUID()}@example.com`, name: 'Bench' }
  const http =
    kind === 'write'
      ? { method: 'POST', path: '/', headers, body: Buffer.from(JSON.stringify(body)).toString('base64'), isBase64Encoded: true }
      : { method: 'GET', path: `/${SEED}`, headers, body: '', isBase64Encoded: true }
  const { statusCode } = await main({ http: { ...http, queryString: '' } }, { deadline: Date.now() + 10_000 })
  if (statusCode !== (kind === 'write' ? 201 : 200)) throw new Error(`answered ${String(statusCode)}`)
}
