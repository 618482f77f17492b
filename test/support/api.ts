import { randomUUID } from 'node:crypto'
import { main } from '../../packages/api/user/index.ts'
import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import type { Answer } from '../../lib/functions-devkit/test/support/answer.ts'
import { apiKey, call, withFunctions, type CallRequest } from '../../lib/functions-devkit/test/support/functions.ts'

export interface ApiCall extends Omit<CallRequest, 'body' | 'method' | 'path'> {
  body?: unknown
  key?: string
}

/** Calls the API as a caller with every scope does; a body that is no text is sent as JSON. */
export async function api(route: string, { body, key = apiKey, headers = {}, ...rest }: ApiCall = {}): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ')
  const content = typeof body === 'string' || Buffer.isBuffer(body) ? body : body === undefined ? '' : JSON.stringify(body)
  const sent = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
  return call(main, { method, path, ...rest, headers: sent, body: content })
}

/** Runs a test with the API on a database of its own. */
export const withApi = (work: (database: TestDatabase) => Promise<void>, changes: Readonly<Record<string, string>> = {}) =>
  withFunctions([main], work, changes)

/** Creates a user that nothing is wrong with, and gives its id. */
export async function newUser(more: Record<string, unknown> = {}): Promise<string> {
  const { statusCode, body } = await api('POST /', { body: { email: `${randomUUID()}@example.com`, name: 'Ada', ...more } })
  if (statusCode !== 201) throw new Error(`the user of the test was not created: ${JSON.stringify(body)}`)
  return String(body.id)
}

/** Creates a transaction. */
export async function pay(user: string, body: Record<string, unknown> = {}, key: string = randomUUID()): Promise<Answer> {
  return api(`POST /${user}/transactions`, { body: { amount: '10.00', currency: 'EUR', ...body }, headers: { 'idempotency-key': key } })
}

/** What a user has, such as `10.00 EUR`. */
export async function balancesOf(user: string): Promise<string[]> {
  const { body } = await api(`GET /${user}/balances`)
  return (body.items as { amount: string; currency: string }[]).map(({ amount, currency }) => `${amount} ${currency}`)
}

/** Reads a list to its end, page by page. */
export async function readAll(
  route: string,
  { query = '', between }: { query?: string; between?: () => Promise<unknown> } = {},
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = []
  for (let next: string | null | undefined = undefined; next !== null;) {
    const search = new URLSearchParams(query)
    if (next !== undefined) search.set('cursor', next)
    const { body } = await api(route, { query: search.toString() })
    items.push(...(body.items as Record<string, unknown>[]))
    next = body.next as string | null
    await between?.()
  }
  return items
}
