import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { addressOf } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { editsOf } from '../support/readme-edits.ts'
import { useWholeCheckout } from '../support/whole-checkout.ts'

const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')
const checkout = useWholeCheckout()

describe('what is added as the README says', () => {
  beforeAll(() => {
    for (const { path, apply } of editsOf(readme, 'Adding things')) {
      const file = join(checkout.checkout, path)
      checkout.write(path, apply(existsSync(file) ? readFileSync(file, 'utf8') : undefined))
    }
  })

  test('works', async () => {
    const server = await checkout.launchAndWait({ environment: { GREETING: 'Servus' } })
    const greet = async () => (await fetch(`${addressOf(server)}/hello/Ada`, { method: 'POST' })).json()
    expect(await greet()).toEqual({ text: 'Servus, Ada', count: 1 })
    expect(await greet()).toEqual({ text: 'Servus, Ada', count: 2 })
    const { output } = await checkout.run('node', 'lib/functions-devkit/src/cli/send.ts', 'acme', 'order.paid', '--data', '{"orderId":"1"}')
    expect(output).toMatch(/^200 applied {2}evt_\w+\n$/)
    expect(server.output()).toContain('"event":"order.paid"')
    // One trigger calls both functions.
    const fired = await fetch(`${addressOf(server)}/__schedule/rounds-every-minute`, { method: 'POST' })
    expect([fired.status, await fired.json()]).toEqual([
      200,
      expect.objectContaining({
        result: {
          health: expect.objectContaining({ recorded: true }) as unknown,
          maintenance: expect.objectContaining({ outcome: 'complete' }) as unknown,
        },
      }),
    ])
  })

  test('builds without a warning of the new functions', async () => {
    const { output } = await checkout.run('node', 'lib/functions-devkit/src/build/command.ts')
    expect(output).toContain('api/hello ')
    expect(output).toContain('ops/rounds ')
    expect(output).not.toMatch(/over|may ask for|does not pass/)
  })

  test('passes all tests', { timeout: 3_600_000 }, async () => {
    expect(await checkout.failures()).toEqual([])
  })
})
