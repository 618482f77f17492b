import { describe, expect, test } from 'vitest'
import { useNpmStart } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { commandTo, HAS_CURL, paste } from '../../lib/functions-devkit/test/support/paste.ts'

const npmStart = useNpmStart()

describe.runIf(HAS_CURL)('the commands that npm start prints', () => {
  test('show the amount of the webhook as the balance of its user', async () => {
    const server = await npmStart.launchAndWait()
    const [webhook, user, balances] = ['/webhook/demo', '/user', '/balances'].map(path => commandTo(path, server))
    expect(await paste(webhook ?? '')).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    expect(await paste(balances ?? '')).toMatchObject({ status: 404 })
    expect(await paste(user ?? '')).toMatchObject({ status: 201, body: { name: 'Ada' } })
    expect(await paste(balances ?? '')).toEqual({ status: 200, body: { items: [{ currency: 'EUR', amount: '12.50' }] } })

    server.child.stdin?.write('\n')
    await expect.poll(() => commandTo('/balances', server)).not.toBe(balances)
    expect(await paste(commandTo('/user', server))).toMatchObject({ status: 201 })
    expect(await paste(commandTo('/balances', server))).toEqual({ status: 200, body: { items: [] } })
    expect(await paste(commandTo('/webhook/demo', server))).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    expect(await paste(commandTo('/balances', server))).toMatchObject({ body: { items: [{ currency: 'EUR', amount: '12.50' }] } })
  })
})
