import { expect, it } from 'vitest'
import { databaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { createHealthDatabase } from '../../src/health/health-database.ts'
import { look } from '../../src/health/look.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { environmentFor } from '../../../functions-devkit/test/support/functions.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

function healthOf({ database, proxy, manager }: ServiceUnderTest) {
  const variables = { ...environmentFor(database), DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority }
  const settings = databaseSettings.parse(variables).value ?? expect.unreachable()
  return createHealthDatabase({ manager, settings, logger: createLogger({ name: 'test', level: 'silent' }) })
}

it('a look works while the pool is full, over a connection that is gone afterwards', async () => {
  await withService(async subject => {
    const { service, manager, database } = subject
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const holding = service.execute('hold', async ({ query }) => {
      await query('SELECT 1 AS one')
      begun.resolve()
      await held.promise
    })
    await begun.promise
    const health = healthOf(subject)
    expect(manager.getConnectionStatus().pool).toMatchObject({ inUse: 1, max: 1 })
    const { database: seen } = await look({ database: health, migrations: [], buffer: undefined })
    expect(seen).toMatchObject({ seen: { server: { role: 'primary' } } })
    expect(manager.getConnectionStatus().pool).toMatchObject({ inUse: 1, waiting: 0 })
    const own = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'api/health-check%' AND datname = current_database()",
    )
    expect(own).toEqual([])
    held.resolve()
    await holding
    await health.shutdown()
  })
})

it('a look works while the circuit breaker is open, and closes it when the database is there', async () => {
  await withService(async subject => {
    const { service, manager, proxy } = subject
    const health = healthOf(subject)
    const fault = proxy.addFault({ on: 'connect', when: 'accept', action: 'reset', times: 1_000 })
    const read = () =>
      service.execute('read', ({ query }) => query('SELECT 1 AS one'), { mode: 'read', deadline: openDeadline({ remainingMs: 2_000, reserveMs: 0 }) })
    for (let call = 0; call < 2; call += 1) await expect(read()).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(manager.getConnectionStatus().breaker).toBe('open')
    expect((await look({ database: health, migrations: [], buffer: undefined, withinMs: 500 })).database).toMatchObject({
      code: expect.any(String) as string,
    })
    fault.remove()
    expect((await look({ database: health, migrations: [], buffer: undefined })).database).toHaveProperty('seen')
    expect(manager.getConnectionStatus().breaker).toBe('closed')
    await health.shutdown()
  })
})
