import { beforeAll, describe, expect, test } from 'vitest'
import { addressOf } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { addAsTheReadmeSays } from '../support/readme-edits.ts'
import { useWholeCheckout } from '../support/whole-checkout.ts'

const checkout = useWholeCheckout()

describe('what is added as the README says', () => {
  beforeAll(() => addAsTheReadmeSays(checkout))

  test('works', async () => {
    const server = await checkout.launchAndWait()
    const [, key = ''] = /Bearer (key_[\w-]+)/.exec(server.output()) ?? []
    const call = async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${key}`, 'idempotency-key': 'once', 'content-type': 'application/json' }
      const answer = await fetch(`${addressOf(server)}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      return (await answer.json()) as Record<string, unknown>
    }
    const { id: userId } = await call('POST', '/user', { email: 'ada@example.com', name: 'Ada' })
    const { id } = await call('POST', '/orders', { userId, product: 'book', quantity: 2 })
    const send = () => checkout.run('node', 'lib/functions-devkit/src/cli/send.ts', 'acme', 'order.paid', '--data', JSON.stringify({ orderId: id }))
    expect((await send()).output).toMatch(/^200 applied {2}evt_\w+\n$/)
    expect(await call('GET', `/orders/${String(id)}`)).toEqual({ id, userId, product: 'book', quantity: 2, status: 'paid', userName: 'Ada' })
    expect(await call('GET', '/orders?status=open')).toEqual({ items: [], next: null })
    expect(await call('GET', '/orders/openapi.json')).toMatchObject({ openapi: '3.1.0', info: { title: 'Orders' } })
    const fire = async (name: string) => (await fetch(`${addressOf(server)}/__schedule/${name}`, { method: 'POST' })).json()
    expect(await fire('orders-expire')).toMatchObject({ result: { cancelled: 0 } })
    // One trigger calls both functions.
    expect(await fire('rounds-every-minute')).toMatchObject({ result: { health: { recorded: true }, maintenance: { outcome: 'complete' } } })
  })

  test('builds without a warning of the new functions', async () => {
    const { output } = await checkout.run('node', 'lib/functions-devkit/src/build/command.ts')
    expect(output).toContain('api/orders ')
    expect(output).toContain('ops/rounds ')
    expect(output).not.toMatch(/over|may ask for|does not pass/)
  })

  test('passes all tests', { timeout: 3_600_000 }, async () => {
    expect(await checkout.failures()).toEqual([])
  })
})
