import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundles } from '../../functions-devkit/src/build/pipeline.ts'
import { copyCheckout, type Checkout } from '../../functions-devkit/test/support/checkout.ts'
import { hasRedis } from '../../functions-devkit/test/support/redis.ts'
import type { Maker } from '../../functions-devkit/test/support/storm/deliveries.ts'
import { LONGEST_MS, torture } from '../../functions-devkit/test/support/storm/torture.ts'

// Those that never fail, and those that fail half of the time.
const HANDLERS = `
import { ownHandlers } from '../../../functions-devkit/test/support/storm/own-handlers.ts'
import { alertRaised } from './alert-raised.ts'
import { smokePing } from './smoke-ping.ts'
import { transactionCompleted, transactionFailed, transactionRefunded } from './transactions.ts'

export const handlers = [...ownHandlers, alertRaised, smokePing, transactionCompleted, transactionFailed, transactionRefunded]
`
const money = (id: string) => ({ transactionId: id, userId: `payer_${id}`, amount: '12.50', currency: 'EUR' })
const fixedMakers: readonly Maker[] = [
  id => ({ kind: 'database', effect: id, type: 'transaction.completed', data: money(id) }),
  id => ({ kind: 'database', effect: id, type: 'transaction.failed', data: money(id) }),
  id => ({ kind: 'database', effect: null, type: 'smoke.ping', data: { id } }),
  id => ({ kind: 'database', effect: id, type: 'transaction.refunded', data: money(id) }),
  id => ({ kind: 'bare', effect: null, type: 'alert.raised', data: { code: id, severity: 'info' } }),
  id => ({ kind: 'database', effect: null, type: 'weather.changed', data: { id } }),
]

describe("with a user's own handlers", () => {
  let checkout: Checkout
  let other: Server
  let makers: readonly Maker[]
  beforeAll(async () => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
    checkout.write('lib/app/webhooks/handlers/index.ts', HANDLERS)
    await buildBundles(checkout.folder)
    other = createServer((request, response) => {
      if (Math.random() < 0.5) request.socket.destroy()
      else response.writeHead(Math.random() < 0.2 ? 500 : 200).end()
    })
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
    const failing = ['own.fetched', 'own.failed', 'own.later'].map<Maker>(type => id => ({
      kind: 'database',
      effect: id,
      type,
      data: { what: id, url },
    }))
    makers = [...failing, ...fixedMakers]
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
      const away = buffered ? '202 buffered' : '503 database-unavailable'
      expect(answers).toEqual(expect.arrayContaining(['200 applied', '200 failed', '202 deferred', away]))
    },
    LONGEST_MS,
  )
})
