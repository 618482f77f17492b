import { afterEach, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { callWeb, containerOf } from '../support/function-container.ts'
import { apiKey } from '../support/functions.ts'
import { healthKey, knowing } from '../support/health.ts'
import { stopContainers } from '../support/platform/container.ts'
import { eventBody, signedHeaders } from '../support/webhooks.ts'

afterEach(stopContainers)

describe.each(['apache', 'digitalocean'] as const)('on the runtime of %s', runtime => {
  it('writes one line for each call, without secrets, and prints nothing after its answer', async () => {
    await withDatabase(async database => {
      const user = await containerOf('api/user', runtime, database)
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'x-request-id': 'abc' }
      const created = await callWeb(user, { method: 'POST', headers, body: '{"email":"secret-address@example.com","name":"A"}' })
      expect(created.lines.map(({ event }) => event)).toEqual(['database.connection.established', 'invocation.completed'])
      expect(created.lines[1]).toMatchObject({
        event: 'invocation.completed',
        function: 'api/user',
        route: 'POST /',
        status: 201,
        cold: true,
        requestId: 'abc',
        generation: 1,
        attempts: 1,
        trips: expect.any(Number) as number,
      })
      const again = await callWeb(user, { method: 'POST', headers, body: '{"email":"secret-address@example.com"}' })
      expect(again).toMatchObject({ status: 422 })
      const printed = JSON.stringify([created.lines, again.lines, again.stderr])
      for (const secret of [apiKey, 'secret-address', database.connectionSettings.password]) expect(printed).not.toContain(secret)
      expect(user.lateLogs()).toEqual({ stdout: '', stderr: '' })
      await stopContainers()
    })
  })

  it('keeps its container and its connection through a pause', async () => {
    await withDatabase(async database => {
      const health = await containerOf('api/health', runtime, database, { HEALTH_KEY: healthKey })
      const first = await callWeb(health, { path: '/database' })
      health.pause()
      health.resume()
      await new Promise(resolve => setTimeout(resolve, 3_000))
      const second = await callWeb(health, { path: '/database', headers: knowing })
      expect([first.status, second.status]).toEqual([200, 200])
      expect(second.body.checks).toMatchObject({ 'pool:generation': [{ observedValue: 1 }], 'pool:idle': [{ observedValue: 1 }] })
      await stopContainers()
    })
  })

  it('answers with a problem, not with a crash, when its settings are missing', async () => {
    await withDatabase(async database => {
      const webhook = await containerOf('api/webhook', runtime, database, { WEBHOOK_SECRET_DEMO: 'none', DB_HOST: 'none' })
      const body = eventBody('smoke.ping', {})
      const answer = await callWeb(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body), body })
      expect(answer).toMatchObject({ status: 503, body: { code: 'settings-invalid' } })
      const missing = ['DB_HOST is missing', 'WEBHOOK_SECRET_DEMO is missing, as the secrets of all sources are']
      expect(answer.lines.at(-1)).toMatchObject({ settings: expect.arrayContaining(missing) as string[] })
      expect(JSON.stringify(answer.body)).not.toContain('WEBHOOK')
      await stopContainers()
    })
  })
})
