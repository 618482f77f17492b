import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { migrations } from '../../lib/app/migrations/index.ts'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { callWeb, containerOf, functions } from '../../lib/functions-devkit/test/support/function-container.ts'
import { stopContainers } from '../../lib/functions-devkit/test/support/platform/container.ts'
import { invokedEvent, scheduledEvent } from '../../lib/functions-devkit/test/support/platform/events.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { eventBody, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

afterEach(stopContainers)

it('has built every function that project.yml names', () => {
  expect(functions.filter(({ qualifiedName }) => !existsSync(join(REPOSITORY, 'packages', qualifiedName, 'dist/index.js')))).toEqual([])
})

describe.each(['apache', 'digitalocean'] as const)('on the runtime of %s', runtime => {
  it('the functions answer from their packed bundles alone', async () => {
    await withDatabase(
      async database => {
        const migrate = await containerOf('ops/migrate', runtime, database)
        expect((await migrate.run(invokedEvent())).result).toMatchObject({ alreadyApplied: 0, applied: migrations.map(({ name }) => name) })

        const webhook = await containerOf('api/webhook', runtime, database)
        const body = eventBody('smoke.ping', {})
        const delivery = { method: 'POST', path: '/demo', headers: signedHeaders(body), body }
        expect(await callWeb(webhook, delivery)).toMatchObject({ status: 200, body: { outcome: 'applied' }, stderr: '' })
        expect(await callWeb(webhook, { ...delivery, isBase64Encoded: false })).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
        expect(await callWeb(webhook, { ...delivery, body: body.replace('smoke', 'smoky') })).toMatchObject({
          status: 401,
          body: { code: 'signature-mismatch' },
        })

        const health = await containerOf('api/health', runtime, database)
        expect(await callWeb(health, {})).toMatchObject({ status: 200, body: { status: 'pass' } })
        expect(await callWeb(health, { path: '/database' })).toMatchObject({ status: 200, body: { status: 'pass' } })
        expect((await health.run(scheduledEvent({ source: 'schedule' }))).result).toMatchObject({ status: 'pass' })

        const maintenance = await containerOf('ops/maintenance', runtime, database)
        expect((await maintenance.run(scheduledEvent())).result).toMatchObject({ outcome: 'complete', complete: true })
        await stopContainers()
      },
      { empty: true },
    )
  })
})
