import { afterEach, describe, expect, it } from 'vitest'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { callWeb, containerOf } from '../../lib/functions-devkit/test/support/function-container.ts'
import { apiKey } from '../../lib/functions-devkit/test/support/functions.ts'
import { stopContainers } from '../../lib/functions-devkit/test/support/platform/container.ts'
import { completedTransaction, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

afterEach(stopContainers)

describe.each(['apache', 'digitalocean'] as const)('on the runtime of %s', runtime => {
  it('users and their transactions are taken by the packed bundles alone', async () => {
    await withDatabase(async database => {
      const webhook = await containerOf('api/webhook', runtime, database)
      const event = completedTransaction()
      const delivery = { method: 'POST', path: '/demo', headers: signedHeaders(event), body: event }
      expect(await callWeb(webhook, delivery)).toMatchObject({ status: 200, body: { outcome: 'applied' }, stderr: '' })

      const user = await containerOf('api/user', runtime, database)
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
      const created = await callWeb(user, { method: 'POST', headers, body: '{"email":"a@example.com","name":"A"}' })
      expect(created).toMatchObject({ status: 201, stderr: '' })
      expect(await callWeb(user, { path: `/${String(created.body.id)}`, headers })).toMatchObject({ status: 200, body: created.body })
      await stopContainers()
    })
  })

  it('logs neither secrets nor the address that is taken', async () => {
    await withDatabase(async database => {
      const user = await containerOf('api/user', runtime, database)
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
      const body = '{"email":"secret-address@example.com","name":"A"}'
      const created = await callWeb(user, { method: 'POST', headers, body })
      const again = await callWeb(user, { method: 'POST', headers, body })
      expect([created.status, again.status]).toEqual([201, 409])
      const printed = JSON.stringify([created.lines, again.lines, again.stderr])
      for (const secret of [apiKey, 'secret-address', database.connectionSettings.password]) expect(printed).not.toContain(secret)
      expect(user.lateLogs()).toEqual({ stdout: '', stderr: '' })
      await stopContainers()
    })
  })
})
