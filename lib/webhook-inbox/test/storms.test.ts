import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundles } from '../../functions-devkit/src/build/pipeline.ts'
import { copyCheckout, type Checkout } from '../../functions-devkit/test/support/checkout.ts'
import { hasRedis } from '../../functions-devkit/test/support/redis.ts'
import type { Maker } from '../../functions-devkit/test/support/storm/deliveries.ts'
import { LONGEST_MS, torture } from '../../functions-devkit/test/support/storm/torture.ts'

describe("with a user's own handlers", () => {
  let checkout: Checkout
  let other: Server
  let makers: readonly Maker[]
  beforeAll(async () => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
    checkout.write(
      'lib/app/webhooks/handlers/index.ts',
      `export { ownHandlers as handlers } from '../../../functions-devkit/test/support/storm/own-handlers.ts'\n`,
    )
    await buildBundles(checkout.folder)
    other = createServer((request, response) => {
      if (Math.random() < 0.5) request.socket.destroy()
      else response.writeHead(Math.random() < 0.2 ? 500 : 200).end()
    })
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
    makers = ['own.fetched', 'own.failed', 'own.later'].map(type => id => ({ kind: 'database', effect: id, type, data: { what: id, url } }))
  }, LONGEST_MS)
  afterAll(() => {
    other.closeAllConnections()
    other.close()
    checkout.remove()
  })

  it.skipIf(!hasRedis()).concurrent.each([false, true])(
    'every event has exactly one effect, with a buffer: %s',
    async buffered => {
      const answers = await torture({ buffered, root: checkout.folder, makers, mended: true, what: "events of a user's own handlers" })
      expect(answers).toEqual(expect.arrayContaining(['200 applied', '200 failed', '202 deferred']))
    },
    LONGEST_MS,
  )
})
