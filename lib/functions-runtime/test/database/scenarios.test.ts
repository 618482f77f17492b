import { loadModels } from '../../../functions-devkit/test/application/lib/app/database.ts'
import { openDatabase } from '../../src/database/connect.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { profiles } from '../../../resilient-sequelize/src/pool/profile.ts'
import { type Work } from '../../src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'
import { migrate } from '../../../functions-devkit/test/support/templates.ts'

const insert = ({ query }: Work, externalId: string) =>
  query("INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', $externalId, 't', now())", {
    externalId,
  })
const stored = async ({ query }: Work) =>
  (await query<{ external_id: string }>('SELECT external_id FROM webhook_events ORDER BY length(external_id), external_id')).map(
    row => row.external_id,
  )
const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))
const logger = createLogger({ name: 'test', level: 'silent' })

/** A server of the test's own, which it may stop and start. */
async function withServer(work: (server: LocalPostgres) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'scenario-'))
  const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../../..')).folder
  const server = await startPostgres({ folder, programsFolder, settings: { fsync: 'off' } })
  try {
    await migrate(server.url('postgres'))
    await work(server)
  } finally {
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}

describe.each([profiles.function, profiles.server])('in the $name profile', profile => {
  it.each(['fast', 'immediate'] as const)('a database restart (%s) loses no operation and does none twice', async mode => {
    await withServer(async server => {
      const settings = {
        host: server.host,
        port: server.port,
        name: 'postgres',
        schema: 'public',
        user: server.user,
        password: server.password,
        tls: { mode: 'off' },
        pooled: false,
        profile,
        slowOperationMs: 1_000,
      } as const
      const { manager, service } = openDatabase({ settings, applicationName: 'subject', logger, models: loadModels })
      const write = (externalId: string) =>
        service.execute('write', work => insert(work, externalId), {
          deadline: within(15_000),
          wasCommitted: async ({ models }) => (await models.WebhookEvent.count({ where: { externalId } })) === 1,
        })
      await write('first')
      const running = numbers(20).map(async externalId => {
        await new Promise(later => setTimeout(later, Number(externalId) * 25))
        await write(externalId)
      })
      await server.stop(mode)
      await server.start()
      await Promise.all(running)
      expect(await service.execute('read', stored, { mode: 'read' })).toEqual([...numbers(20), 'first'])
      await manager.gracefulShutdown()
    })
  })

  it('a network interruption is waited out', async () => {
    await withService(
      async ({ proxy, service }) => {
        await service.execute('write', work => insert(work, 'a'))
        await proxy.refuse('unreachable')
        proxy.cutAll('reset')
        const waiting = service.execute('write', work => insert(work, 'b'), { deadline: within(10_000) })
        await new Promise(later => setTimeout(later, 500))
        await proxy.accept()
        await waiting
        expect(await service.execute('read', stored, { mode: 'read' })).toEqual(['a', 'b'])
      },
      { profile },
    )
  })

  it('an exhausted pool is a queue', async () => {
    await withService(
      async ({ service, sessions }) => {
        const many = numbers(60)
        await Promise.all(many.map(externalId => service.execute('write', work => insert(work, externalId))))
        expect(await service.execute('read', stored, { mode: 'read' })).toEqual(many)
        expect(await sessions()).toBeLessThanOrEqual(profile.pool.max)
      },
      { profile },
    )
  })

  it('an end lets running work finish, closes every session, and a later use begins anew', async () => {
    await withService(
      async ({ manager, service, sessions }) => {
        const entered = Promise.withResolvers<void>()
        const slow = service.execute('slow', async work => {
          await insert(work, 'a')
          entered.resolve()
          await work.query('SELECT pg_sleep(0.3)')
        })
        await entered.promise
        await manager.end()
        await slow
        await expect.poll(sessions).toBe(0)
        expect(await service.execute('read', stored, { mode: 'read' })).toEqual(['a'])
      },
      { profile },
    )
  })

  it('of two requests at once one overruns and is cut, and the other commits', async () => {
    await withService(
      async ({ service }) => {
        const both = { deadline: within(5_000) }
        const leave = Promise.withResolvers<void>()
        const entered = Promise.withResolvers<void>()
        const good = service.execute(
          'good',
          async work => {
            await insert(work, 'good')
            entered.resolve()
            await leave.promise
          },
          both,
        )
        await entered.promise
        const bad = service.execute('bad', async work => (await insert(work, 'bad'), new Promise(() => undefined)), { deadline: within(400) })
        await expect(bad).rejects.toMatchObject({ code: expect.any(String) as string })
        leave.resolve()
        await good
        expect(await service.execute('read', stored, { mode: 'read' })).toEqual(['good'])
      },
      { profile },
    )
  })
})
